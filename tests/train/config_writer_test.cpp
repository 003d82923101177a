// Writing settings down and describing them by a JSON Schema.
#include "config_settings.h"
#include "schema_validator.h"
#include "tests/support/catch.h"

using namespace normlab;
using made_up::read;
using made_up::Settings;

namespace {

std::string written(Settings settings) {
  ConfigWriter writer;
  settings.fields(writer);
  return to_lines(writer.object());
}

std::string schema() {
  Settings settings;
  SchemaWriter writer;
  settings.fields(writer);
  return to_lines(writer.object());
}

}  // namespace

TEST_CASE("settings are written with every default, in the order they are listed") {
  CHECK(
      written(read(
          R"({"rate": 0.25, "title": "t", "points": [{"x": 1}, {"x": 2, "height": 0.5}],
                           "inner": {"shape": {"kind": "box"}}})")) ==
      R"({
  "title": "t",
  "mode": "fast",
  "count": 3,
  "seed": 1,
  "rate": 0.25,
  "at": [1, 2],
  "tags": ["a"],
  "colors": ["red"],
  "weights": [0.5],
  "points": [
    {
      "x": 1.0,
      "label": ""
    },
    {
      "x": 2.0,
      "label": "",
      "height": 0.5
    }
  ],
  "inner": {
    "flag": true,
    "shape": {
      "kind": "box",
      "width": 1.0,
      "height": 2.0
    }
  }
}
)");
}

TEST_CASE("written settings read back as the same, to the last bit") {
  Settings settings = read("{\"title\": \"what \\\"is\\\" é?\", \"rate\": 0.1, \"seed\": 9223372036854775807}");
  settings.rate = 0.1 + 1e-17 * 3;
  settings.rate = std::nextafter(settings.rate, 1.0);
  dynamic_cast<made_up::CircleOptions&>(*settings.inner.shape).radius = 1.0 / 3.0;
  const Settings again = read(written(settings));
  CHECK(again.title == settings.title);
  CHECK(again.rate == settings.rate);
  CHECK(again.seed == settings.seed);
  CHECK(dynamic_cast<const made_up::CircleOptions&>(*again.inner.shape).radius == 1.0 / 3.0);
  CHECK(written(again) == written(settings));
}

TEST_CASE("the schema tells type, bounds, default and meaning of each field") {
  const std::string text = schema();
  Problems problems("schema");
  const JsonNode root = parse_json(text, problems);
  const JsonNode* properties = root.find("properties");
  REQUIRE(properties != nullptr);
  CHECK(to_line(*properties->find("count")) ==
        R"({"type": "integer", "minimum": 1, "maximum": 1000, "description": "how many", "default": 3})");
  CHECK(to_line(*properties->find("rate")) ==
        R"({"type": "number", "minimum": 0, "exclusiveMaximum": 1, "description": "per step", "default": 0.001})");
  CHECK(to_line(*properties->find("mode")) ==
        R"({"type": "string", "enum": ["fast", "slow"], "description": "how it goes", "default": "fast"})");
  CHECK(to_line(*root.find("required")) == R"(["title"])");
  const JsonNode& kinds = *properties->find("inner")->find("properties")->find("shape")->find("oneOf");
  REQUIRE(kinds.items.size() == 2);
  CHECK(to_line(kinds.items[1]) ==
        R"({"type": "object", "properties": {"kind": {"const": "box"}, )"
        R"("width": {"type": "number", "exclusiveMinimum": 0, "description": "of the box, metres", "default": 1.0}, )"
        R"("height": {"type": "number", "exclusiveMinimum": 0, "description": "of the box, metres", "default": 2.0}}, )"
        R"("additionalProperties": false, "required": ["kind"], "description": "an angular one"})");
}

TEST_CASE("an independent validator accepts by the schema what the reader accepts and refuses what it refuses") {
  if (!schema_complaint("{}", "{}")) {
    WARN("valijson is not installed: the schema is not checked (Debian: libvalijson-dev)");
    return;
  }
  const std::vector<std::string> good = {
      R"({"title": "t"})",
      R"({"title": "t", "count": 1000, "rate": 0, "at": [0, 5], "colors": [], "inner": {}})",
      R"({"title": "t", "weights": [], "points": [{"x": 0}, {"x": 1, "label": "end", "height": 1}]})",
      R"({"title": "t", "inner": {"shape": {"radius": 2}}})",
      R"({"title": "t", "inner": {"shape": {"kind": "circle", "radius": 2}}})",
      R"({"title": "t", "inner": {"shape": {"kind": "box", "width": 0.5}}})",
      written(read("{\"title\": \"t\"}")),
  };
  const std::vector<std::string> bad = {
      R"({})",
      R"([])",
      R"({"title": "t", "cuont": 1})",
      R"({"title": 1})",
      R"({"title": "t", "count": 0})",
      R"({"title": "t", "count": 2.5})",
      R"({"title": "t", "rate": 1})",
      R"({"title": "t", "at": [-1]})",
      R"({"title": "t", "mode": "quick"})",
      R"({"title": "t", "colors": ["pink"]})",
      R"({"title": "t", "weights": [-1]})",
      R"({"title": "t", "points": {"x": 1}})",
      R"({"title": "t", "points": [{}]})",
      R"({"title": "t", "points": [{"x": 1, "height": 0}]})",
      R"({"title": "t", "points": [{"x": 1, "lable": "end"}]})",
      R"({"title": "t", "inner": {"falg": true}})",
      R"({"title": "t", "inner": {"shape": {"kind": "line"}}})",
      R"({"title": "t", "inner": {"shape": {"width": 0.5}}})",
      R"({"title": "t", "inner": {"shape": {"kind": "box", "radius": 0.5}}})",
      R"({"title": "t", "inner": {"shape": {"radius": 0}}})",
  };
  for (const std::string& json : good) {
    INFO(json);
    CHECK(made_up::complaint(json) == "");
    CHECK(schema_complaint(schema(), json) == "");
  }
  for (const std::string& json : bad) {
    INFO(json);
    CHECK(made_up::complaint(json) != "");
    CHECK(schema_complaint(schema(), json) != "");
  }
}

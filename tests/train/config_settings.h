// Settings made up for the tests of reading, writing and describing: one field of each type.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/registry.h"
#include "train/config_reader.h"
#include "train/config_schema.h"
#include "train/config_writer.h"
#include "train/json_reader.h"

namespace normlab::made_up {

struct ShapeOptions {
  virtual ~ShapeOptions() = default;
  virtual void fields(Fields& f) = 0;
};

struct CircleOptions : ShapeOptions {
  double radius = 1;
  void fields(Fields& f) override { f.real("radius", radius, {.above = 0, .at_most = 10}, "of the circle, metres"); }
};

struct BoxOptions : ShapeOptions {
  double width = 1, height = 2;
  void fields(Fields& f) override {
    f.real("width", width, {.above = 0}, "of the box, metres");
    f.real("height", height, {.above = 0}, "of the box, metres");
    f.require(width <= height, "width", text("a box stands upright: width ", width, ", height ", height));
  }
};

inline const std::vector<Registered<ShapeOptions>>& registered(const ShapeOptions*) {
  static const std::vector<Registered<ShapeOptions>> all = {
      {"circle", "a round one", [] { return std::make_shared<CircleOptions>(); }},
      {"box", "an angular one", [] { return std::make_shared<BoxOptions>(); }},
  };
  return all;
}

struct Inner {
  bool flag = true;
  Choice<ShapeOptions> shape{"circle"};

  void fields(Fields& f) {
    f.boolean("flag", flag, "a flag");
    shape.fields(f, "shape", "how it looks");
  }
};

struct Point {
  double x = 0;
  std::string label;
  std::optional<double> height;

  void fields(Fields& f) {
    f.real("x", x, {.at_least = 0}, "where it is, metres");
    f.required("x");
    f.string("label", label, "what it is called");
    f.optional_real("height", height, {.above = 0}, "how high it is, metres; flat when left out");
  }
};

struct Settings {
  std::string title;
  std::string mode = "fast";
  std::int64_t count = 3;
  std::int64_t seed = 1;
  double rate = 1e-3;
  std::vector<std::int64_t> at = {1, 2};
  std::vector<std::string> tags = {"a"};
  std::vector<std::string> colors = {"red"};
  std::vector<double> weights = {0.5};
  std::vector<Point> points;
  Inner inner;

  void fields(Fields& f) {
    f.string("title", title, "what it is");
    f.required("title");
    f.choice("mode", mode, {"fast", "slow"}, "how it goes");
    f.integer("count", count, {.at_least = 1, .at_most = 1000}, "how many");
    f.integer("seed", seed, {.at_least = 0}, "of the random numbers");
    f.real("rate", rate, {.at_least = 0, .below = 1}, "per step");
    f.integers("at", at, {.at_least = 0}, "when");
    f.strings("tags", tags, "free words");
    f.choices("colors", colors, {"red", "green", "blue"}, "of the lines");
    f.reals("weights", weights, {.at_least = 0}, "of the lines");
    objects(f, "points", points, "on the lines");
    f.group(
        "inner", [this](Fields& g) { inner.fields(g); }, "what is inside");
  }
};

// Throws all problems of the text and the overrides as those of the file "test.json".
inline Settings read(const std::string& json, const std::vector<std::string>& overrides = {}) {
  Problems problems("test.json");
  JsonNode root = parse_json(json, problems);
  apply_overrides(root, overrides, problems);
  Settings settings;
  ConfigReader reader(root, "", problems);
  settings.fields(reader);
  reader.finish();
  problems.throw_if_any();
  return settings;
}

// The message that reading throws; "" when it throws none.
inline std::string complaint(const std::string& json, const std::vector<std::string>& overrides = {}) {
  try {
    read(json, overrides);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace normlab::made_up

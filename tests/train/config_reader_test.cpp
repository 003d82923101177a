// Reading settings strictly: the texts of all complaints are part of the interface.
#include "config_settings.h"
#include "tests/support/catch.h"

using namespace normlab;
using made_up::complaint;
using made_up::read;

TEST_CASE("settings keep their defaults where the file is silent and take what it says") {
  const auto defaults = read("{\"title\": \"t\"}");
  CHECK(defaults.count == 3);
  CHECK(defaults.inner.shape.kind() == "circle");
  auto settings = read(R"({"title": "t", "mode": "slow", "count": 1e2, "seed": 9223372036854775807, "rate": 0,
                           "at": [], "tags": ["x", "y"], "colors": ["blue"],
                           "weights": [1, 0.25], "points": [{"x": 2}, {"label": "end", "x": 3.5, "height": 2}],
                           "inner": {"flag": false, "shape": {"kind": "box", "height": 3.5}}})");
  CHECK(settings.mode == "slow");
  CHECK(settings.count == 100);
  CHECK(settings.seed == 9223372036854775807);
  CHECK(settings.rate == 0);
  CHECK(settings.at.empty());
  CHECK(settings.tags == std::vector<std::string>{"x", "y"});
  CHECK(settings.colors == std::vector<std::string>{"blue"});
  CHECK(settings.weights == std::vector<double>{1, 0.25});
  REQUIRE(settings.points.size() == 2);
  CHECK(settings.points[0].x == 2);
  CHECK(settings.points[0].label == "");
  CHECK(settings.points[1].label == "end");
  CHECK_FALSE(settings.points[0].height.has_value());
  CHECK(settings.points[1].height == 2);
  CHECK_FALSE(settings.inner.flag);
  REQUIRE(settings.inner.shape.kind() == "box");
  CHECK(dynamic_cast<made_up::BoxOptions&>(*settings.inner.shape).width == 1);
  CHECK(dynamic_cast<made_up::BoxOptions&>(*settings.inner.shape).height == 3.5);
}

TEST_CASE("an unknown key is named with its line, what was probably meant, and what is known") {
  CHECK(complaint("{\"title\": \"t\",\n\"cuont\": 2}") ==
        "test.json:2: cuont: unknown key; did you mean \"count\"? "
        "known here: title, mode, count, seed, rate, at, tags, colors, weights, points, inner");
  CHECK(complaint("{\"title\": \"t\", \"inner\":\n{\"zebra\": 1}}") ==
        "test.json:2: inner.zebra: unknown key; known here: flag, shape");
  CHECK(complaint("{\"title\": \"t\", \"inner\": {\"shape\": {\n\"radios\": 1}}}") ==
        "test.json:2: inner.shape.radios: unknown key for the kind \"circle\"; did you mean \"radius\"? "
        "known here: kind, radius");
  CHECK(complaint("{\"title\": \"t\", \"\": 1}").find("test.json:1: \"\": unknown key; known here: title") == 0);
}

TEST_CASE("a wrong type is told with both types") {
  CHECK(complaint("{\"title\": 3}") == "test.json:1: title: must be a string, got the number 3");
  const auto about = [](const std::string& member) { return complaint("{\"title\": \"t\", " + member + "}"); };
  CHECK(about("\"count\": \"3\"") == "test.json:1: count: must be a whole number, got the string \"3\"");
  CHECK(about("\"count\": 2.5") == "test.json:1: count: must be a whole number, got the number 2.5");
  CHECK(about("\"count\": null") == "test.json:1: count: must be a whole number, got null");
  CHECK(about("\"rate\": true") == "test.json:1: rate: must be a number, got the boolean true");
  CHECK(about("\"rate\": []") == "test.json:1: rate: must be a number, got a list");
  CHECK(about("\"at\": 4") == "test.json:1: at: must be a list, got the number 4");
  CHECK(about("\"at\": [1,\n \"2\"]") == "test.json:2: at[1]: must be a whole number, got the string \"2\"");
  CHECK(about("\"tags\": [false]") == "test.json:1: tags[0]: must be a string, got the boolean false");
  CHECK(about("\"inner\": 1") == "test.json:1: inner: must be an object, got the number 1");
  CHECK(about("\"inner\": {\"flag\": 1}") == "test.json:1: inner.flag: must be true or false, got the number 1");
  CHECK(about("\"inner\": {\"shape\": \"box\"}") ==
        "test.json:1: inner.shape: must be an object, got the string \"box\"");
  CHECK(about("\"inner\": {\"shape\": {\"kind\": {}}}") ==
        "test.json:1: inner.shape.kind: must be one of the strings circle, box, got an object");
  CHECK(complaint("[1]") == "test.json:1: must be an object, got a list");
}

TEST_CASE("a number out of range is told with the bounds and the value") {
  const auto about = [](const std::string& member) { return complaint("{\"title\": \"t\", " + member + "}"); };
  CHECK(about("\"count\": 0") == "test.json:1: count: must be at least 1 and at most 1000, got 0");
  CHECK(about("\"count\": 1e300") == "test.json:1: count: must be at least 1 and at most 1000, got 1e+300");
  CHECK(about("\"rate\": 1") == "test.json:1: rate: must be at least 0 and below 1, got 1");
  CHECK(about("\"at\": [-1]") == "test.json:1: at[0]: must be at least 0, got -1");
  CHECK(about("\"inner\": {\"shape\": {\"radius\": 0}}") ==
        "test.json:1: inner.shape.radius: must be above 0 and at most 10, got 0");
  CHECK(about("\"seed\": 9223372036854775808") ==
        "test.json:1: seed: must be below 2^63 in magnitude, got 9.223372036854776e+18");
}

TEST_CASE("a bad choice is told with the choices") {
  const auto about = [](const std::string& member) { return complaint("{\"title\": \"t\", " + member + "}"); };
  CHECK(about("\"mode\": \"fats\"") ==
        "test.json:1: mode: must be one of fast, slow; got \"fats\"; did you mean \"fast\"?");
  CHECK(about("\"mode\": \"x\"") == "test.json:1: mode: must be one of fast, slow; got \"x\"");
  CHECK(about("\"colors\": [\"red\", \"gren\"]") ==
        "test.json:1: colors[1]: must be one of red, green, blue; got \"gren\"; did you mean \"green\"?");
  CHECK(about("\"weights\": [1, -1]") == "test.json:1: weights[1]: must be at least 0, got -1");
  CHECK(about("\"points\": {}") == "test.json:1: points: must be a list of objects, got an object");
  CHECK(about("\"points\": [{\"x\": 1}, 2]") == "test.json:1: points[1]: must be an object, got the number 2");
  CHECK(about("\"points\": [{\"x\": -1}]") == "test.json:1: points[0].x: must be at least 0, got -1");
  CHECK(about("\"points\": [{\"x\": 1, \"lable\": \"a\"}]") ==
        "test.json:1: points[0].lable: unknown key; did you mean \"label\"? known here: x, label, height");
  CHECK(about("\"points\": [{\"x\": 1, \"height\": 0}]") == "test.json:1: points[0].height: must be above 0, got 0");
  CHECK(about("\"points\": [{}]") == "test.json:1: points[0].x: missing; it has no default and must be given");
  CHECK(about("\"inner\": {\"shape\": {\"kind\": \"bax\", \"side\": 1}}") ==
        "test.json:1: inner.shape.kind: must be one of circle, box; got \"bax\"; did you mean \"box\"?");
}

TEST_CASE("a missing field and a broken rule point to a line") {
  CHECK(complaint("\n{}") == "test.json:2: title: missing; it has no default and must be given");
  CHECK(complaint("{\"title\": \"t\", \"inner\": {\"shape\": {\"kind\": \"box\",\n\"height\": 1,\n\"width\": 4}}}") ==
        "test.json:3: inner.shape.width: a box stands upright: width 4, height 1");
  CHECK(complaint("{\"title\": \"t\", \"inner\": {\n\"shape\": {\"kind\": \"box\", \"height\": 0.5}}}") ==
        "test.json:2: inner.shape.width: a box stands upright: width 1, height 0.5");
  // The rule is not applied to a default that stands in for a wrong value.
  CHECK(complaint("{\"title\": \"t\", \"inner\": {\"shape\": {\"kind\": \"box\", \"height\": \"1\", \"width\": 4}}}") ==
        "test.json:1: inner.shape.height: must be a number, got the string \"1\"");
}

TEST_CASE("all problems of a file come at once, in the order of its lines, those of the command line last") {
  CHECK(complaint("{\n"
                  "  \"inner\": {\n"
                  "    \"falg\": true,\n"
                  "    \"flag\": 0\n"
                  "  },\n"
                  "  \"rate\": -1,\n"
                  "  \"rate\": 2,\n"
                  "  \"mode\": \"quick\"\n"
                  "}",
                  {"count=many", "inner.shape.radius=11"}) ==
        "test.json:1: title: missing; it has no default and must be given\n"
        "test.json:3: inner.falg: unknown key; did you mean \"flag\"? known here: flag, shape\n"
        "test.json:4: inner.flag: must be true or false, got the number 0\n"
        "test.json:6: rate: must be at least 0 and below 1, got -1\n"
        "test.json:7: rate: given twice, first on line 6\n"
        "test.json:8: mode: must be one of fast, slow; got \"quick\"\n"
        "command line: count: must be a whole number, got the string \"many\"\n"
        "command line: inner.shape.radius: must be above 0 and at most 10, got 11");
}

TEST_CASE("an override sets what the file sets, also what it does not mention") {
  const auto settings =
      read("{\"title\": \"t\", \"count\": 5}", {"count=7", "inner.shape.kind=box", "title=what is it?", "at=[3]"});
  CHECK(settings.count == 7);
  CHECK(settings.title == "what is it?");
  CHECK(settings.at == std::vector<std::int64_t>{3});
  CHECK(settings.inner.shape.kind() == "box");
  CHECK(read("{}", {"title=t", "inner={\"flag\": false}"}).inner.flag == false);
}

TEST_CASE("an override is under the same rules as the file") {
  const std::string file = "{\"title\": \"t\"}";
  CHECK(complaint(file, {"inner.shape.radios=2"}) ==
        "command line: inner.shape.radios: unknown key for the kind \"circle\"; did you mean \"radius\"? "
        "known here: kind, radius");
  CHECK(complaint(file, {"count"}) == "command line: \"count\" must read path.to.key=value");
  CHECK(complaint(file, {"=3"}) == "command line: \"=3\" must read path.to.key=value");
  CHECK(complaint(file, {"inner..flag=true"}) == "command line: inner..flag: a path reads name.name.name");
  CHECK(complaint(file, {"count=1", "count=2"}) == "command line: count: given twice");
  CHECK(complaint(file, {"title.x=1"}) == "command line: title.x: title is \"t\", which has nothing named \"x\"");
  CHECK(complaint(file, {"inner=5"}) == "command line: inner: must be an object, got the number 5");
  CHECK(complaint(file, {"title=\xff"}) == "command line: an override is not valid UTF-8");
}

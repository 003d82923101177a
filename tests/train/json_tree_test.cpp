// The JSON tree: positions, duplicates, syntax errors in words, and writing it again.
#include "train/json_tree.h"

#include <limits>

#include "engine/error.h"
#include "tests/support/catch.h"
#include "train/json_reader.h"

using namespace normlab;

namespace {

JsonNode parse(const std::string& json) {
  Problems problems("test.json");
  JsonNode root = parse_json(json, problems);
  problems.throw_if_any();
  return root;
}

std::string complaint(const std::string& json) {
  try {
    parse(json);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

void check_position(const JsonNode* node, int line, int column) {
  REQUIRE(node != nullptr);
  CHECK(node->at.line == line);
  CHECK(node->at.column == column);
}

}  // namespace

TEST_CASE("a JSON value knows its line and column, whatever follows it") {
  const JsonNode root = parse(
      "{\n"
      "  \"a\": 12\n"
      ", \"b\\\\\\\"\": \"x\\\"y\", // a comment\n"
      "  \"c\": [1.5,\n"
      "     22\n"
      "   , true, null, \"é\\\\\", \"z\"],\n"
      "  \"d\": {\"e\": false}}\n");
  check_position(&root, 1, 1);
  check_position(root.find("a"), 2, 3);
  check_position(root.find("b\\\""), 3, 3);
  const JsonNode* list = root.find("c");
  check_position(list, 4, 3);
  REQUIRE(list->items.size() == 6);
  check_position(&list->items[0], 4, 9);
  check_position(&list->items[1], 5, 6);
  check_position(&list->items[2], 6, 6);
  check_position(&list->items[3], 6, 12);
  check_position(&list->items[4], 6, 18);
  check_position(&list->items[5], 6, 25);
  check_position(root.find("d")->find("e"), 7, 9);
}

TEST_CASE("a JSON syntax error is told in words with line and column") {
  CHECK(complaint("{\"a\": 1,\n \"b\": 2,\n}") ==
        "test.json:3: column 1: a comma stands before the closing }: remove it");
  CHECK(complaint("{\"a\": [1, 2, ]}") == "test.json:1: column 14: a comma stands before the closing ]: remove it");
  CHECK(complaint("{\"a\": 1\n \"b\": 2}") == "test.json:2: column 2: a comma is missing before \"b\"");
  CHECK(complaint("{\"a\": \"one\n}") == "test.json:1: column 11: a closing quote is missing");
  CHECK(complaint("{\n\"a\": {\n\"b\": 1}") ==
        "test.json:3: column 7: the file ends, but the object of line 1 is not closed");
  CHECK(complaint("{\"a\": [1") == "test.json:1: column 8: the file ends, but the list of line 1 is not closed");
  CHECK(complaint("{\"a\" 1}") == "test.json:1: column 6: a colon is missing after the name");
  CHECK(complaint("{a: 1}") ==
        "test.json:1: column 2: not a JSON value: a (text stands in double quotes; true, false and null are small)");
  CHECK(complaint("{\"a\": True}") ==
        "test.json:1: column 7: not a JSON value: True (text stands in double quotes; true, false and null are small)");
  CHECK(complaint("{\"a\": NaN}") ==
        "test.json:1: column 7: not a JSON value: NaN (text stands in double quotes; true, false and null are small)");
  CHECK(complaint("{\"a\": 1e999}") == "test.json:1: column 7: the number 1e999 is too large");
  CHECK(complaint("{\"a\": 1} x") ==
        "test.json:1: column 10: not a JSON value: x (text stands in double quotes; true, false and null are small)");
  CHECK(complaint("{\"a\": 1} {") == "test.json:1: column 10: nothing may follow the end of the config, got {");
  CHECK(complaint("{1: 2}") == "test.json:1: column 2: a name in double quotes must stand here, got 1");
  CHECK(complaint("// only a comment") == "test.json:1: column 17: the file ends before anything was said");
  CHECK(complaint("{\"a\": \"\xff\"}").find("test.json:1: column 8: invalid string: ill-formed UTF-8 byte") == 0);
}

TEST_CASE("an empty text and a too deep one are refused") {
  CHECK(complaint("") == "test.json: the file is empty; a config begins {\"question\": …");
  CHECK(complaint(" \n\t") == "test.json: the file is empty; a config begins {\"question\": …");
  CHECK(complaint(std::string(64, '[') + std::string(64, ']')) == "");
  CHECK(complaint(std::string(65, '[') + std::string(65, ']')) == "test.json:1: nested deeper than 64 levels");
  CHECK(complaint(std::string(100000, '[')) == "test.json:1: nested deeper than 64 levels");
}

TEST_CASE("a name given twice is refused, and both lines are named, also before a syntax error") {
  CHECK(complaint("{\"a\": 1,\n\"b\": {\"c\": 1,\n\"c\": 2}, \"a\": 3}") ==
        "test.json:3: b.c: given twice, first on line 2\n"
        "test.json:3: a: given twice, first on line 1");
  CHECK(complaint("{\"l\": [{}, {\"x\": 1, \"x\": 1}]}") == "test.json:1: l[1].x: given twice, first on line 1");
  CHECK(complaint("{\"a\": 1, \"a\": 1,\n}") ==
        "test.json:1: a: given twice, first on line 1\n"
        "test.json:2: column 1: a comma stands before the closing }: remove it");
}

TEST_CASE("written JSON reads back as the same values") {
  const std::string json =
      "{\"r\": [0.1, 1e-300, -0.0, 5.0, 1.7976931348623157e308, 3.141592653589793, 1e22], "
      "\"i\": [9223372036854775807, -9223372036854775808, 0], "
      "\"s\": \"quote \\\" and \\n and é\", \"e\": {}, \"l\": [], "
      "\"n\": null, \"b\": true, \"deep\": [{\"x\": [1]}]}";
  const JsonNode root = parse(json);
  CHECK(to_line(parse(to_line(root))) == to_line(root));
  CHECK(to_line(parse(to_lines(root))) == to_line(root));
  const JsonNode again = parse(to_lines(root));
  for (std::size_t i = 0; i < root.find("r")->items.size(); ++i) {
    CHECK(again.find("r")->items[i].type == JsonType::real);
    CHECK(again.find("r")->items[i].real == root.find("r")->items[i].real);
  }
  CHECK(again.find("i")->items[0].integer == std::numeric_limits<std::int64_t>::max());
  CHECK(to_lines(parse("{\"a\": [1, 2], \"b\": {\"c\": []}}")) ==
        "{\n  \"a\": [1, 2],\n  \"b\": {\n    \"c\": []\n  }\n}\n");
}

TEST_CASE("a typed value is JSON if it is JSON, else a string") {
  CHECK(to_line(parse_typed("1e-3")) == "0.001");
  CHECK(to_line(parse_typed("[1, 2]")) == "[1, 2]");
  CHECK(to_line(parse_typed("true")) == "true");
  CHECK(to_line(parse_typed("pre")) == "\"pre\"");
  CHECK(to_line(parse_typed("\"pre\"")) == "\"pre\"");
  CHECK(to_line(parse_typed("")) == "\"\"");
  CHECK(to_line(parse_typed("007")) == "\"007\"");
  CHECK(to_line(parse_typed("{\"a\": 1, \"a\": 2}")) == "\"{\\\"a\\\": 1, \\\"a\\\": 2}\"");
}

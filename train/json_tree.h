// JSON as a small tree that remembers where each value stood, so that a complaint about it can name the line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "problems.h"

namespace normlab {

enum class JsonType { null, boolean, integer, real, string, array, object };

// One value. Only the field that belongs to `type` means anything.
struct JsonNode {
  JsonType type = JsonType::null;
  std::string name;  // of a member of an object
  Position at;       // of the name if there is one, else of the value
  bool boolean = false;
  std::int64_t integer = 0;
  double real = 0;  // also whole numbers that are written with a point or an exponent, or that need more than 64 bits
  std::string string;
  std::vector<JsonNode> items;  // of an array; the members of an object, in the order of the file

  static JsonNode of(bool value);
  static JsonNode of(std::int64_t value);
  static JsonNode of(double value);
  static JsonNode of(std::string value);
  template <class T>
  static JsonNode list(const std::vector<T>& values) {
    JsonNode list = array();
    for (const T& value : values) list.items.push_back(of(value));
    return list;
  }
  static JsonNode array();
  static JsonNode object();

  bool is_container() const { return type == JsonType::array || type == JsonType::object; }
  // The member of that name, the first if there are several; nullptr if there is none.
  const JsonNode* find(const std::string& member) const;
  JsonNode* find(const std::string& member);
  // Adds a member and gives it back.
  JsonNode& add(const std::string& member, JsonNode value);
};

// The value at a dotted path, or nullptr.
const JsonNode* find_path(const JsonNode& root, const std::string& path);
// Sets the value at a dotted path, making the objects on the way that are not there. Returns what prevented it, or "".
std::string set_path(JsonNode& root, const std::string& path, const JsonNode& value);

// JSON again: on one line, or set out over several with lists of plain values kept on theirs. Numbers are the shortest
// that read back as the same bits.
std::string to_line(const JsonNode& node);
std::string to_lines(const JsonNode& node);

}  // namespace normlab

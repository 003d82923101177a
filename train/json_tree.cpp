// The JSON tree: its nodes, paths into it, and writing it out.
#include "json_tree.h"

#include <nlohmann/json.hpp>

#include "../engine/error.h"

namespace normlab {
namespace {

JsonNode node_of(JsonType type) {
  JsonNode node;
  node.type = type;
  return node;
}

}  // namespace

JsonNode JsonNode::of(bool value) {
  JsonNode node = node_of(JsonType::boolean);
  node.boolean = value;
  return node;
}

JsonNode JsonNode::of(std::int64_t value) {
  JsonNode node = node_of(JsonType::integer);
  node.integer = value;
  return node;
}

JsonNode JsonNode::of(double value) {
  JsonNode node = node_of(JsonType::real);
  node.real = value;
  return node;
}

JsonNode JsonNode::of(std::string value) {
  JsonNode node = node_of(JsonType::string);
  node.string = std::move(value);
  return node;
}

JsonNode JsonNode::array() { return node_of(JsonType::array); }
JsonNode JsonNode::object() { return node_of(JsonType::object); }

const JsonNode* JsonNode::find(const std::string& member) const {
  for (const JsonNode& item : items) {
    if (type == JsonType::object && item.name == member) return &item;
  }
  return nullptr;
}

JsonNode* JsonNode::find(const std::string& member) {
  return const_cast<JsonNode*>(static_cast<const JsonNode*>(this)->find(member));
}

JsonNode& JsonNode::add(const std::string& member, JsonNode value) {
  value.name = member;
  items.push_back(std::move(value));
  return items.back();
}

const JsonNode* find_path(const JsonNode& root, const std::string& path) {
  const JsonNode* node = &root;
  for (std::size_t begin = 0; node != nullptr;) {
    const std::size_t dot = path.find('.', begin);
    node = node->find(path.substr(begin, dot == std::string::npos ? dot : dot - begin));
    if (dot == std::string::npos) break;
    begin = dot + 1;
  }
  return node;
}

std::string set_path(JsonNode& root, const std::string& path, const JsonNode& value) {
  JsonNode* node = &root;
  for (std::size_t begin = 0;;) {
    const std::size_t dot = path.find('.', begin);
    const std::string name = path.substr(begin, dot == std::string::npos ? dot : dot - begin);
    if (name.empty()) return "a path reads name.name.name";
    if (node->type != JsonType::object) {
      return text(path.substr(0, begin - 1), " is ", to_line(*node), ", which has nothing named \"", name, "\"");
    }
    JsonNode* next = node->find(name);
    if (next == nullptr) {
      JsonNode made = JsonNode::object();
      made.at = value.at;
      next = &node->add(name, std::move(made));
    }
    node = next;
    if (dot == std::string::npos) break;
    begin = dot + 1;
  }
  const std::string name = node->name;
  *node = value;
  node->name = name;
  return "";
}

namespace {

std::string quoted(const std::string& value) { return nlohmann::json(value).dump(); }

// `indent` < 0: all on one line.
void write(std::string& out, const JsonNode& node, int indent) {
  switch (node.type) {
    case JsonType::null:
      out += "null";
      return;
    case JsonType::boolean:
      out += node.boolean ? "true" : "false";
      return;
    case JsonType::integer:
      out += std::to_string(node.integer);
      return;
    case JsonType::real:
      out += nlohmann::json(node.real).dump();
      return;
    case JsonType::string:
      out += quoted(node.string);
      return;
    case JsonType::array:
    case JsonType::object:
      break;
  }
  const bool is_array = node.type == JsonType::array;
  const auto is_container = [](const JsonNode& item) { return item.is_container(); };
  const bool plain = is_array && std::none_of(node.items.begin(), node.items.end(), is_container);
  const int inner = plain || node.items.empty() || indent < 0 ? -1 : indent + 2;
  const auto new_line = [&](int spaces) {
    if (inner >= 0) out += '\n' + std::string(static_cast<std::size_t>(spaces), ' ');
  };
  out += is_array ? '[' : '{';
  for (const JsonNode& item : node.items) {
    if (&item != &node.items.front()) out += inner < 0 ? ", " : ",";
    new_line(inner);
    if (!is_array) out += quoted(item.name) + ": ";
    write(out, item, inner);
  }
  new_line(indent);
  out += is_array ? ']' : '}';
}

}  // namespace

std::string to_line(const JsonNode& node) {
  std::string out;
  write(out, node, -1);
  return out;
}

std::string to_lines(const JsonNode& node) {
  std::string out;
  write(out, node, 0);
  return out + "\n";
}

}  // namespace normlab

// Reading settings: types, bounds, choices and unknown keys, each complaint with the line it is about.
#include "config_reader.h"

#include <algorithm>
#include <cmath>

#include "../engine/error.h"

namespace normlab {
namespace {

std::string described(const JsonNode& node) {
  switch (node.type) {
    case JsonType::null: return "null";
    case JsonType::boolean: return "the boolean " + to_line(node);
    case JsonType::integer:
    case JsonType::real: return "the number " + to_line(node);
    case JsonType::string: return "the string " + to_line(node);
    case JsonType::array: return "a list";
    case JsonType::object: return "an object";
  }
  return "?";
}

std::string number(double value) { return to_line(JsonNode::of(value)); }
std::string bound(double value) {
  const bool whole = value == std::floor(value) && std::abs(value) < 1e15;
  return whole ? std::to_string(static_cast<std::int64_t>(value)) : number(value);
}

// What `range` demands of a value outside it, "at least 0 and below 1"; empty for a value inside.
std::string demand(double value, const Range& range) {
  if (value >= range.at_least && value > range.above && value <= range.at_most && value < range.below) return "";
  std::vector<std::string> parts;
  if (std::isfinite(range.at_least)) parts.push_back("at least " + bound(range.at_least));
  if (std::isfinite(range.above)) parts.push_back("above " + bound(range.above));
  if (std::isfinite(range.at_most)) parts.push_back("at most " + bound(range.at_most));
  if (std::isfinite(range.below)) parts.push_back("below " + bound(range.below));
  std::string words;
  for (const std::string& part : parts) words += (words.empty() ? "" : " and ") + part;
  return words.empty() ? "finite" : words;
}

std::string suggestion(const std::string& word, const std::vector<std::string>& candidates) {
  const std::string near = closest(word, candidates);
  return near.empty() ? "" : "; did you mean \"" + near + "\"?";
}

}  // namespace

ConfigReader::ConfigReader(const JsonNode& object, std::string path, Problems& problems)
    : object_(object), path_(std::move(path)), problems_(problems) {
  if (object.type != JsonType::object) wrong_type(object, path_, "an object");
}

void ConfigReader::boolean(const char* name, bool& value, const char*) {
  const JsonNode* node = take(name);
  if (node == nullptr) return;
  if (node->type == JsonType::boolean) {
    value = node->boolean;
  } else {
    wrong_type(*node, join_path(path_, name), "true or false");
  }
}

void ConfigReader::integer(const char* name, std::int64_t& value, Range range, const char*) {
  if (const JsonNode* node = take(name)) read(*node, join_path(path_, name), value, range);
}

void ConfigReader::real(const char* name, double& value, Range range, const char*) {
  if (const JsonNode* node = take(name)) read(*node, join_path(path_, name), value, range);
}

void ConfigReader::optional_real(const char* name, std::optional<double>& value, Range range, const char*) {
  double given = 0;
  const JsonNode* node = take(name);
  if (node != nullptr && read(*node, join_path(path_, name), given, range)) value = given;
}

void ConfigReader::string(const char* name, std::string& value, const char*) {
  if (const JsonNode* node = take(name)) read(*node, join_path(path_, name), value);
}

void ConfigReader::choice(const char* name, std::string& value, const std::vector<std::string>& choices, const char*) {
  if (const JsonNode* node = take(name)) read(*node, join_path(path_, name), value, choices);
}

void ConfigReader::integers(const char* name, std::vector<std::int64_t>& values, Range range, const char*) {
  read_list(name, values, [&](const JsonNode& node, const std::string& path, std::int64_t& value) {
    return read(node, path, value, range);
  });
}

void ConfigReader::strings(const char* name, std::vector<std::string>& values, const char*) {
  read_list(name, values,
            [&](const JsonNode& node, const std::string& path, std::string& value) { return read(node, path, value); });
}

void ConfigReader::choices(const char* name, std::vector<std::string>& values, const std::vector<std::string>& choices,
                           const char*) {
  read_list(name, values, [&](const JsonNode& node, const std::string& path, std::string& value) {
    return read(node, path, value, choices);
  });
}

void ConfigReader::reals(const char* name, std::vector<double>& values, Range range, const char*) {
  read_list(name, values, [&](const JsonNode& node, const std::string& path, double& value) {
    return read(node, path, value, range);
  });
}

void ConfigReader::objects(const char* name, const Objects& list, const char*) {
  const JsonNode* node = take(name);
  if (node == nullptr) return;
  const std::string path = join_path(path_, name);
  if (node->type != JsonType::array) {
    wrong_type(*node, path, "a list of objects");
    return;
  }
  list.resize(node->items.size());
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    ConfigReader inner(node->items[i], text(path, "[", i, "]"), problems_);
    if (inner.object_.type == JsonType::object) {
      list.members(i, inner);
      inner.finish();
    }
    values_good_ = values_good_ && inner.values_good_;
  }
}

template <class Members>
void ConfigReader::read_object(const char* name, const Members& members) {
  JsonNode none = JsonNode::object();
  none.at = object_.at;
  const JsonNode* node = take(name);
  ConfigReader inner(node == nullptr ? none : *node, join_path(path_, name), problems_);
  if (inner.object_.type == JsonType::object) {
    members(inner);
    inner.finish();
  }
  values_good_ = values_good_ && inner.values_good_;
}

void ConfigReader::group(const char* name, const std::function<void(Fields&)>& members, const char*) {
  read_object(name, members);
}

void ConfigReader::variant(const char* name, std::string& kind, const std::vector<Alternative>& alternatives,
                           const char*) {
  std::vector<std::string> kinds;
  for (const Alternative& alternative : alternatives) kinds.push_back(alternative.kind);
  read_object(name, [&](ConfigReader& inner) {
    std::string asked = kind;
    const JsonNode* node = inner.take("kind");
    inner.kind_good_ = node == nullptr || inner.read(*node, join_path(inner.path_, "kind"), asked, kinds);
    if (!inner.kind_good_) return;
    for (const Alternative& alternative : alternatives) {
      if (alternative.kind != asked) continue;
      if (asked != kind) alternative.choose();
      inner.kind_ = asked;
      alternative.members(inner);
      return;
    }
  });
}

void ConfigReader::required(const char* name) {
  if (object_.type == JsonType::object && object_.find(name) == nullptr) {
    wrong(object_, join_path(path_, name), "missing; it has no default and must be given");
  }
}

void ConfigReader::require(bool ok, const char* name, const std::string& message) {
  if (ok || !values_good_) return;
  const JsonNode* node = object_.find(name);
  problems_.add(node == nullptr ? object_.at : node->at, join_path(path_, name), message);
}

const JsonNode* ConfigReader::take(const char* name) {
  known_.push_back(name);
  return object_.find(name);
}

void ConfigReader::finish() {
  if (!kind_good_) return;
  const std::string unknown = kind_.empty() ? "unknown key" : text("unknown key for the kind \"", kind_, "\"");
  for (const JsonNode& member : object_.items) {
    const bool known = std::find(known_.begin(), known_.end(), member.name) != known_.end();
    const bool repeated = object_.find(member.name) != &member;  // reported when it was parsed
    if (known || repeated) continue;
    const std::string hint = suggestion(member.name, known_);
    problems_.add(member.at, join_path(path_, member.name),
                  text(unknown, hint.empty() ? ";" : hint, " known here: ", listed(known_)));
  }
}

bool ConfigReader::read(const JsonNode& node, const std::string& path, std::int64_t& value, Range range) {
  constexpr double kEnd = 9223372036854775808.0;  // 2^63
  if (node.type != JsonType::integer && node.type != JsonType::real) return wrong_type(node, path, "a whole number");
  const double rounded = node.type == JsonType::integer ? static_cast<double>(node.integer) : node.real;
  if (rounded != std::floor(rounded)) return wrong_type(node, path, "a whole number");
  std::string demanded = demand(rounded, range);
  const bool fits = node.type == JsonType::integer || std::abs(rounded) < kEnd;
  if (demanded.empty() && !fits) demanded = "below 2^63 in magnitude";
  if (!demanded.empty()) return wrong(node, path, text("must be ", demanded, ", got ", to_line(node)));
  value = node.type == JsonType::integer ? node.integer : static_cast<std::int64_t>(rounded);
  return true;
}

bool ConfigReader::read(const JsonNode& node, const std::string& path, double& value, Range range) {
  if (node.type != JsonType::integer && node.type != JsonType::real) return wrong_type(node, path, "a number");
  const double given = node.type == JsonType::integer ? static_cast<double>(node.integer) : node.real;
  const std::string demanded = demand(given, range);
  if (!demanded.empty()) return wrong(node, path, text("must be ", demanded, ", got ", to_line(node)));
  value = given;
  return true;
}

bool ConfigReader::read(const JsonNode& node, const std::string& path, std::string& value) {
  if (node.type != JsonType::string) return wrong_type(node, path, "a string");
  value = node.string;
  return true;
}

bool ConfigReader::read(const JsonNode& node, const std::string& path, std::string& value,
                        const std::vector<std::string>& choices) {
  if (node.type != JsonType::string) return wrong_type(node, path, "one of the strings " + listed(choices));
  if (std::find(choices.begin(), choices.end(), node.string) == choices.end()) {
    return wrong(node, path,
                 text("must be one of ", listed(choices), "; got ", to_line(node), suggestion(node.string, choices)));
  }
  value = node.string;
  return true;
}

template <class T, class ReadItem>
void ConfigReader::read_list(const char* name, std::vector<T>& values, const ReadItem& read_item) {
  const JsonNode* node = take(name);
  if (node == nullptr) return;
  const std::string path = join_path(path_, name);
  if (node->type != JsonType::array) {
    wrong_type(*node, path, "a list");
    return;
  }
  std::vector<T> list(node->items.size());
  bool good = true;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!read_item(node->items[i], text(path, "[", i, "]"), list[i])) good = false;
  }
  if (good) values = std::move(list);
}

bool ConfigReader::wrong(const JsonNode& node, const std::string& path, const std::string& message) {
  problems_.add(node.at, path, message);
  values_good_ = false;
  return false;
}

bool ConfigReader::wrong_type(const JsonNode& node, const std::string& path, const std::string& expected) {
  return wrong(node, path, text("must be ", expected, ", got ", described(node)));
}

}  // namespace normlab

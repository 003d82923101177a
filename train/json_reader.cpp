// Reading JSON: the tree is built from the events of nlohmann's parser, with positions counted by the iterator it reads
// from.
#include "json_reader.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "../engine/error.h"
#include "files.h"

namespace normlab {
namespace {

constexpr std::size_t kDeepest = 64;  // levels of nesting

// Steps over the text and counts, for whoever holds the counter, the characters that were read.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::size_t* read) : at_(at), read_(read) {}
  const char& operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*read_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  std::size_t* read_;
};

// Builds the tree out of the parser's events.
class TreeBuilder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  TreeBuilder(const std::string& json, Problems& problems) : json_(json), problems_(problems) {
    line_starts_.push_back(0);
    for (std::size_t i = 0; i < json.size(); ++i) {
      if (json[i] == '\n') line_starts_.push_back(i + 1);
    }
  }

  // Runs the parser. False after a syntax error, which is then the last of the problems.
  bool run() {
    return nlohmann::json::sax_parse(CountingIterator(json_.data(), &read_),
                                     CountingIterator(json_.data() + json_.size(), &read_), this,
                                     nlohmann::json::input_format_t::json, /*strict=*/true, /*ignore_comments=*/true);
  }
  JsonNode take() { return std::move(root_); }

  bool null() override { return add(JsonNode(), last() - 3); }
  bool boolean(bool value) override { return add(JsonNode::of(value), last() - (value ? 3 : 4)); }
  bool number_integer(std::int64_t value) override { return add(JsonNode::of(value), start_of_number()); }
  bool number_unsigned(std::uint64_t value) override {
    const bool fits = value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return add(fits ? JsonNode::of(static_cast<std::int64_t>(value)) : JsonNode::of(static_cast<double>(value)),
               start_of_number());
  }
  bool number_float(double value, const std::string&) override { return add(JsonNode::of(value), start_of_number()); }
  bool string(std::string& value) override { return add(JsonNode::of(value), start_of_string()); }
  bool binary(nlohmann::json::binary_t&) override { return false; }  // not in JSON
  bool start_object(std::size_t) override { return open(JsonNode::object()); }
  bool start_array(std::size_t) override { return open(JsonNode::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(std::string& name) override {
    name_ = name;
    name_at_ = position(start_of_string());
    if (const JsonNode* first = open_.back()->find(name)) {
      std::string path;
      for (const std::string& part : path_) path = part.rfind('[', 0) == 0 ? path + part : join_path(path, part);
      problems_.add(name_at_, join_path(path, name), text("given twice, first on line ", first->at.line));
    }
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) override {
    const std::string what = error.what();
    const auto says = [&](const char* words) { return what.find(words) != std::string::npos; };
    std::size_t start = last();
    if (says("unexpected number literal") || says("number overflow")) start = start_of_number();
    if (says("unexpected string literal")) start = start_of_string();
    if (says("unexpected true literal") || says("unexpected null literal")) start -= 3;
    if (says("unexpected false literal")) start -= 4;
    const Position at = position(start);
    problems_.add(at, "", text("column ", at.column, ": ", explain(what, start)));
    return false;
  }

 private:
  std::size_t last() const { return read_ == 0 ? 0 : read_ - 1; }  // offset of the last character read

  // A number ends where another character follows, which has been read already.
  std::size_t start_of_number() const {
    const auto belongs = [](char c) { return std::string_view("0123456789+-.eE").find(c) != std::string_view::npos; };
    std::size_t start = belongs(json_[last()]) ? last() : last() - 1;
    while (start > 0 && belongs(json_[start - 1])) --start;
    return start;
  }

  // The opening quote: the first before the closing one that no odd number of backslashes escapes.
  std::size_t start_of_string() const {
    std::size_t start = last();
    while (start > 0) {
      --start;
      std::size_t backslashes = 0;
      while (backslashes < start && json_[start - 1 - backslashes] == '\\') ++backslashes;
      if (json_[start] == '"' && backslashes % 2 == 0) break;
    }
    return start;
  }

  Position position(std::size_t offset) const {
    const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
    const std::size_t start = *(after - 1);
    const auto begin = json_.begin() + static_cast<std::ptrdiff_t>(start);
    const auto end = json_.begin() + static_cast<std::ptrdiff_t>(std::min(offset, json_.size()));
    const auto starts_character = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };  // UTF-8
    return {static_cast<int>(after - line_starts_.begin()),
            static_cast<int>(std::count_if(begin, end, starts_character)) + 1};
  }

  // The value that begins at `offset` goes to where the parser is.
  bool add(JsonNode value, std::size_t offset) {
    place(std::move(value), offset);
    return true;
  }

  JsonNode& place(JsonNode value, std::size_t offset) {
    if (open_.empty()) {
      value.at = position(offset);
      root_ = std::move(value);
      return root_;
    }
    JsonNode& parent = *open_.back();
    if (parent.type == JsonType::array) {
      value.at = position(offset);
      parent.items.push_back(std::move(value));
      return parent.items.back();
    }
    value.at = name_at_;
    return parent.add(name_, std::move(value));
  }

  bool open(JsonNode container) {
    if (open_.size() == kDeepest) {
      problems_.add(position(last()), "", text("nested deeper than ", kDeepest, " levels"));
      return false;
    }
    if (!open_.empty()) {
      const bool in_list = open_.back()->type == JsonType::array;
      path_.push_back(in_list ? text("[", open_.back()->items.size(), "]") : name_);
    }
    open_.push_back(&place(std::move(container), last()));
    return true;
  }

  bool close() {
    open_.pop_back();
    if (!path_.empty()) path_.pop_back();
    return true;
  }

  // The commonest slips in plain words; the rest in the parser's own, without its prefix. `start` is where it stopped.
  std::string explain(const std::string& what, std::size_t start) const {
    const auto says = [&](const char* words) { return what.find(words) != std::string::npos; };
    const std::string found = word(start);
    if (says("missing closing quote") || says("U+000A") || says("U+000D")) return "a closing quote is missing";
    if (says("unexpected end of input")) {
      if (open_.empty()) return "the file ends before anything was said";
      const char* container = open_.back()->type == JsonType::object ? "object" : "list";
      return text("the file ends, but the ", container, " of line ", open_.back()->at.line, " is not closed");
    }
    if (says("number overflow")) return text("the number ", found, " is too large");
    if (says("invalid literal")) {
      return text("not a JSON value: ", found, " (text stands in double quotes; true, false and null are small)");
    }
    if ((found == "}" || found == "]") && comma_before(start)) {
      return text("a comma stands before the closing ", found, ": remove it");
    }
    if (says("; expected ':'")) return "a colon is missing after the name";
    if (says("; expected '}'") || says("; expected ']'")) return text("a comma is missing before ", found);
    if (says("; expected end of input")) return text("nothing may follow the end of the config, got ", found);
    if (says("object key")) return text("a name in double quotes must stand here, got ", found);
    const std::size_t dash = what.find(" - ");
    return dash == std::string::npos ? what : what.substr(dash + 3);
  }

  // The text in quotes, the number or the word that begins at `start`, or the character there.
  std::string word(std::size_t start) const {
    if (start >= json_.size()) return "";
    std::size_t end = start + 1;
    if (json_[start] == '"') {
      end = last() + 1;
    } else {
      const auto goes_on = [](unsigned char c) {
        return std::isalnum(c) || c >= 0x80 || c == '+' || c == '-' || c == '.' || c == '_';
      };
      while (goes_on(static_cast<unsigned char>(json_[start])) && end < json_.size() &&
             goes_on(static_cast<unsigned char>(json_[end]))) {
        ++end;
      }
    }
    return json_.substr(start, end - start);
  }

  bool comma_before(std::size_t offset) const {
    const std::size_t at = offset == 0 ? std::string::npos : json_.find_last_not_of(" \t\r\n", offset - 1);
    return at != std::string::npos && json_[at] == ',';
  }

  const std::string& json_;
  Problems& problems_;
  std::vector<std::size_t> line_starts_;
  std::size_t read_ = 0;  // characters read so far
  JsonNode root_;
  std::vector<JsonNode*> open_;    // the containers around the parser's place, outermost first
  std::vector<std::string> path_;  // their names but for the outermost
  std::string name_;               // of the member whose value comes next
  Position name_at_;
};

bool is_blank(const std::string& json) { return json.find_first_not_of(" \t\r\n") == std::string::npos; }

bool is_utf8(const std::string& bytes) {
  try {
    (void)nlohmann::json(bytes).dump();
    return true;
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
}

}  // namespace

JsonNode parse_json(const std::string& json, Problems& problems) {
  check(!is_blank(json), problems.file(), ": the file is empty; a config begins {\"question\": …");
  TreeBuilder builder(json, problems);
  if (!builder.run()) problems.throw_if_any();
  return builder.take();
}

namespace {

void set_position(JsonNode& node, Position at) {
  node.at = at;
  for (JsonNode& item : node.items) set_position(item, at);
}

}  // namespace

JsonNode read_json(const std::filesystem::path& file) {
  Problems problems(file.string());
  JsonNode node = parse_json(read_file(file), problems);
  problems.throw_if_any();
  return node;
}

JsonNode parse_typed(const std::string& typed) {
  Problems problems("");
  TreeBuilder builder(typed, problems);
  JsonNode node = !is_blank(typed) && builder.run() && problems.empty() ? builder.take() : JsonNode::of(typed);
  set_position(node, Position{});
  return node;
}

void apply_overrides(JsonNode& root, const std::vector<std::string>& overrides, Problems& problems) {
  std::set<std::string> seen;
  for (const std::string& override_text : overrides) {
    const std::size_t equals = override_text.find('=');
    if (equals == std::string::npos || equals == 0) {
      problems.add({}, "", text("\"", override_text, "\" must read path.to.key=value"));
      continue;
    }
    const std::string path = override_text.substr(0, equals);
    if (!is_utf8(override_text)) {
      problems.add({}, "", "an override is not valid UTF-8");
      continue;
    }
    if (!seen.insert(path).second) problems.add({}, path, "given twice");
    const std::string trouble = set_path(root, path, parse_typed(override_text.substr(equals + 1)));
    if (!trouble.empty()) problems.add({}, path, trouble);
  }
}

}  // namespace normlab

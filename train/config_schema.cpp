// The JSON Schema of settings.
#include "config_schema.h"

#include <cmath>

#include "../engine/error.h"

namespace normlab {
namespace {

JsonNode string_node(const char* value) { return JsonNode::of(std::string(value)); }

JsonNode typed(const char* type) {
  JsonNode schema = JsonNode::object();
  schema.add("type", string_node(type));
  return schema;
}

// A bound of a whole number reads as one: 1, not 1.0.
JsonNode bound(double value) {
  const bool whole = value == std::floor(value) && std::abs(value) < 1e15;
  return whole ? JsonNode::of(static_cast<std::int64_t>(value)) : JsonNode::of(value);
}

JsonNode numeric(const char* type, const Range& range) {
  JsonNode schema = typed(type);
  if (std::isfinite(range.at_least)) schema.add("minimum", bound(range.at_least));
  if (std::isfinite(range.above)) schema.add("exclusiveMinimum", bound(range.above));
  if (std::isfinite(range.at_most)) schema.add("maximum", bound(range.at_most));
  if (std::isfinite(range.below)) schema.add("exclusiveMaximum", bound(range.below));
  return schema;
}

JsonNode one_of(const std::vector<std::string>& choices) {
  JsonNode schema = typed("string");
  schema.add("enum", JsonNode::list(choices));
  return schema;
}

JsonNode list_schema(JsonNode item) {
  JsonNode schema = typed("array");
  schema.add("items", std::move(item));
  return schema;
}

JsonNode described(const char* doc, JsonNode schema) {
  schema.add("description", string_node(doc));
  return schema;
}

JsonNode described(const char* doc, JsonNode schema, JsonNode default_value) {
  schema.add("description", string_node(doc));
  schema.add("default", std::move(default_value));
  return schema;
}

}  // namespace

void SchemaWriter::boolean(const char* name, bool& value, const char* doc) {
  add(name, described(doc, typed("boolean"), JsonNode::of(value)));
}

void SchemaWriter::integer(const char* name, std::int64_t& value, Range range, const char* doc) {
  add(name, described(doc, numeric("integer", range), JsonNode::of(value)));
}

void SchemaWriter::real(const char* name, double& value, Range range, const char* doc) {
  add(name, described(doc, numeric("number", range), JsonNode::of(value)));
}

void SchemaWriter::optional_real(const char* name, std::optional<double>& value, Range range, const char* doc) {
  JsonNode schema = described(doc, numeric("number", range));
  if (value) schema.add("default", JsonNode::of(*value));
  add(name, std::move(schema));
}

void SchemaWriter::string(const char* name, std::string& value, const char* doc) {
  add(name, described(doc, typed("string"), JsonNode::of(value)));
}

void SchemaWriter::choice(const char* name, std::string& value, const std::vector<std::string>& choices,
                          const char* doc) {
  add(name, described(doc, one_of(choices), JsonNode::of(value)));
}

void SchemaWriter::integers(const char* name, std::vector<std::int64_t>& values, Range range, const char* doc) {
  add(name, described(doc, list_schema(numeric("integer", range)), JsonNode::list(values)));
}

void SchemaWriter::strings(const char* name, std::vector<std::string>& values, const char* doc) {
  add(name, described(doc, list_schema(typed("string")), JsonNode::list(values)));
}

void SchemaWriter::choices(const char* name, std::vector<std::string>& values, const std::vector<std::string>& choices,
                           const char* doc) {
  add(name, described(doc, list_schema(one_of(choices)), JsonNode::list(values)));
}

void SchemaWriter::reals(const char* name, std::vector<double>& values, Range range, const char* doc) {
  add(name, described(doc, list_schema(numeric("number", range)), JsonNode::list(values)));
}

void SchemaWriter::objects(const char* name, const Objects& list, const char* doc) {
  SchemaWriter inner;
  list.one_more(inner);
  add(name, described(doc, list_schema(inner.object())));
}

void SchemaWriter::group(const char* name, const std::function<void(Fields&)>& members, const char* doc) {
  SchemaWriter inner;
  members(inner);
  // A group may be left out only if everything in it may.
  if (!inner.required_.empty()) required_.push_back(name);
  add(name, described(doc, inner.object()));
}

void SchemaWriter::variant(const char* name, std::string& kind, const std::vector<Alternative>& alternatives,
                           const char* doc) {
  const std::string default_kind = kind;
  JsonNode kinds = JsonNode::array();
  const auto describe = [&](const Alternative& alternative) {
    const bool is_default = alternative.kind == default_kind;
    SchemaWriter inner;
    JsonNode constant = JsonNode::object();
    constant.add("const", JsonNode::of(alternative.kind));
    inner.add("kind", std::move(constant));
    alternative.members(inner);
    if (is_default && !inner.required_.empty()) required_.push_back(name);
    if (!is_default) inner.required_.push_back("kind");
    kinds.items.push_back(described(alternative.doc.c_str(), inner.object()));
  };
  // The default kind first, with the options it has now; its `choose` would lose them.
  const Alternative* chosen = nullptr;
  for (const Alternative& alternative : alternatives) {
    if (alternative.kind == default_kind) chosen = &alternative;
  }
  check(chosen != nullptr, "schema: the kind of ", name, " must be one of the alternatives, got ", default_kind);
  describe(*chosen);
  for (const Alternative& alternative : alternatives) {
    if (&alternative == chosen) continue;
    alternative.choose();
    describe(alternative);
  }
  chosen->choose();
  JsonNode schema = JsonNode::object();
  schema.add("oneOf", std::move(kinds));
  add(name, described(doc, std::move(schema)));
}

void SchemaWriter::required(const char* name) { required_.push_back(name); }

void SchemaWriter::require(bool, const char*, const std::string&) {}

JsonNode SchemaWriter::object() const {
  JsonNode schema = typed("object");
  schema.add("properties", properties_);
  schema.add("additionalProperties", JsonNode::of(false));
  if (!required_.empty()) schema.add("required", JsonNode::list(required_));
  return schema;
}

}  // namespace normlab

// Writing settings.
#include "config_writer.h"

namespace normlab {

void ConfigWriter::boolean(const char* name, bool& value, const char*) { object_.add(name, JsonNode::of(value)); }

void ConfigWriter::integer(const char* name, std::int64_t& value, Range, const char*) {
  object_.add(name, JsonNode::of(value));
}

void ConfigWriter::real(const char* name, double& value, Range, const char*) { object_.add(name, JsonNode::of(value)); }

void ConfigWriter::optional_real(const char* name, std::optional<double>& value, Range, const char*) {
  if (value) object_.add(name, JsonNode::of(*value));
}

void ConfigWriter::string(const char* name, std::string& value, const char*) { object_.add(name, JsonNode::of(value)); }

void ConfigWriter::choice(const char* name, std::string& value, const std::vector<std::string>&, const char*) {
  object_.add(name, JsonNode::of(value));
}

void ConfigWriter::integers(const char* name, std::vector<std::int64_t>& values, Range, const char*) {
  object_.add(name, JsonNode::list(values));
}

void ConfigWriter::strings(const char* name, std::vector<std::string>& values, const char*) {
  object_.add(name, JsonNode::list(values));
}

void ConfigWriter::reals(const char* name, std::vector<double>& values, Range, const char*) {
  object_.add(name, JsonNode::list(values));
}

void ConfigWriter::objects(const char* name, const Objects& list, const char*) {
  JsonNode written = JsonNode::array();
  for (std::size_t i = 0; i < list.count; ++i) {
    ConfigWriter inner;
    list.members(i, inner);
    written.items.push_back(std::move(inner.object_));
  }
  object_.add(name, std::move(written));
}

void ConfigWriter::group(const char* name, const std::function<void(Fields&)>& members, const char*) {
  ConfigWriter inner;
  members(inner);
  object_.add(name, std::move(inner.object_));
}

void ConfigWriter::variant(const char* name, std::string& kind, const std::vector<Alternative>& alternatives,
                           const char*) {
  ConfigWriter inner;
  inner.object_.add("kind", JsonNode::of(kind));
  for (const Alternative& alternative : alternatives) {
    if (alternative.kind == kind) alternative.members(inner);
  }
  object_.add(name, std::move(inner.object_));
}

void ConfigWriter::require(bool, const char*, const std::string&) {}

}  // namespace normlab

// ConfigWriter: the visitor that writes settings down as JSON, every field with its present value, in the order listed.
#pragma once

#include "../engine/fields.h"
#include "json_tree.h"

namespace normlab {

//   ConfigWriter writer;
//   config.fields(writer);
//   file << to_lines(writer.object());
class ConfigWriter final : public Fields {
 public:
  JsonNode& object() { return object_; }

  void boolean(const char* name, bool& value, const char* doc) override;
  void integer(const char* name, std::int64_t& value, Range range, const char* doc) override;
  void real(const char* name, double& value, Range range, const char* doc) override;
  void optional_real(const char* name, std::optional<double>& value, Range range, const char* doc) override;
  void string(const char* name, std::string& value, const char* doc) override;
  void choice(const char* name, std::string& value, const std::vector<std::string>& choices, const char* doc) override;
  void integers(const char* name, std::vector<std::int64_t>& values, Range range, const char* doc) override;
  void strings(const char* name, std::vector<std::string>& values, const char* doc) override;
  void reals(const char* name, std::vector<double>& values, Range range, const char* doc) override;
  void objects(const char* name, const Objects& list, const char* doc) override;
  void group(const char* name, const std::function<void(Fields&)>& members, const char* doc) override;
  void variant(const char* name, std::string& kind, const std::vector<Alternative>& alternatives,
               const char* doc) override;
  void require(bool ok, const char* name, const std::string& message) override;

 private:
  JsonNode object_ = JsonNode::object();
};

}  // namespace normlab

// SchemaWriter: the visitor that describes settings as a JSON Schema (draft-07), for editors and other validators.
#pragma once

#include "../engine/fields.h"
#include "json_tree.h"

namespace normlab {

// Describes one object: types, bounds, choices, defaults (the present values) and what each field means; nothing else
// may stand in it. The rules between several fields (Fields::require) are not expressed.
class SchemaWriter final : public Fields {
 public:
  void boolean(const char* name, bool& value, const char* doc) override;
  void integer(const char* name, std::int64_t& value, Range range, const char* doc) override;
  void real(const char* name, double& value, Range range, const char* doc) override;
  void optional_real(const char* name, std::optional<double>& value, Range range, const char* doc) override;
  void string(const char* name, std::string& value, const char* doc) override;
  void choice(const char* name, std::string& value, const std::vector<std::string>& choices, const char* doc) override;
  void integers(const char* name, std::vector<std::int64_t>& values, Range range, const char* doc) override;
  void strings(const char* name, std::vector<std::string>& values, const char* doc) override;
  void choices(const char* name, std::vector<std::string>& values, const std::vector<std::string>& choices,
               const char* doc) override;
  void reals(const char* name, std::vector<double>& values, Range range, const char* doc) override;
  void objects(const char* name, const Objects& list, const char* doc) override;
  void group(const char* name, const std::function<void(Fields&)>& members, const char* doc) override;
  // Every kind is described with its own defaults; afterwards the kind is the one it was, with default options.
  void variant(const char* name, std::string& kind, const std::vector<Alternative>& alternatives,
               const char* doc) override;
  void required(const char* name) override;
  void require(bool ok, const char* name, const std::string& message) override;

  // A member described by the caller himself.
  void add(const char* name, JsonNode schema) { properties_.add(name, std::move(schema)); }
  // The schema of the object whose fields were listed.
  JsonNode object() const;

 private:
  JsonNode properties_ = JsonNode::object();
  std::vector<std::string> required_;
};

}  // namespace normlab

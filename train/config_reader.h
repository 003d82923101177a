// ConfigReader: the visitor that fills a struct of settings from JSON, strictly, and gathers everything that is wrong.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "../engine/fields.h"
#include "json_tree.h"
#include "problems.h"

namespace normlab {

// Reads one object. A field that is not there keeps its value, as does one that is wrong, which goes to `problems`.
//
//   ConfigReader reader(tree, "", problems);
//   config.fields(reader);
//   reader.finish();
//   problems.throw_if_any();
class ConfigReader final : public Fields {
 public:
  // `path` is that of the object; empty for the whole config.
  ConfigReader(const JsonNode& object, std::string path, Problems& problems);

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
  // The options chosen so far stay, unless the object names another kind.
  void variant(const char* name, std::string& kind, const std::vector<Alternative>& alternatives,
               const char* doc) override;
  void required(const char* name) override;
  // Left out when a value of this object was wrong: what it says would rest on a default that nobody chose.
  void require(bool ok, const char* name, const std::string& message) override;

  // The member of that name for the caller to read himself, or nullptr; it counts as known.
  const JsonNode* take(const char* name);
  // Reports members that no field asked for. To be called last.
  void finish();

 private:
  // Calls members(reader of that object) unless the object `name` is of another type. One that is not there is empty.
  template <class Members>
  void read_object(const char* name, const Members& members);
  // These give back whether `value` was read.
  bool read(const JsonNode& node, const std::string& path, std::int64_t& value, Range range);
  bool read(const JsonNode& node, const std::string& path, double& value, Range range);
  bool read(const JsonNode& node, const std::string& path, std::string& value);
  bool read(const JsonNode& node, const std::string& path, std::string& value, const std::vector<std::string>& choices);
  // Calls read_item(node, path, value) for each item of the list `name`; the list is taken only if all went well.
  template <class T, class ReadItem>
  void read_list(const char* name, std::vector<T>& values, const ReadItem& read_item);
  // Notes a wrong value. Returns false.
  bool wrong(const JsonNode& node, const std::string& path, const std::string& message);
  bool wrong_type(const JsonNode& node, const std::string& path, const std::string& expected);

  const JsonNode& object_;
  const std::string path_;
  Problems& problems_;
  std::string kind_;                // of a variant, for the messages
  std::vector<std::string> known_;  // in the order listed
  bool values_good_ = true;
  bool kind_good_ = true;  // without a kind nobody knows which keys are known
};

}  // namespace normlab

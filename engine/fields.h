// Fields: a struct of settings lists its fields once, to a visitor; that one list reads, writes, documents and checks
// it.
//
//   void fields(Fields& f, AdamOptions& o) {
//     f.real("beta1", o.beta1, {.at_least = 0, .below = 1}, "decay of the running mean of the gradient");
//   }
//
// The engine and the modules only declare; reading JSON, writing it and making the JSON Schema are visitors in train/.
// The default of a field is the value it has when it is visited for reading; `required` fields have none. A visitor
// that writes or documents leaves the values as they are.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace normlab {

// Bounds of a number; open where not given.
struct Range {
  double at_least = -std::numeric_limits<double>::infinity();
  double above = -std::numeric_limits<double>::infinity();  // exclusive
  double at_most = std::numeric_limits<double>::infinity();
  double below = std::numeric_limits<double>::infinity();  // exclusive
};
inline constexpr double kMostSteps = 1e12;  // beyond this an integer is surely a slip

class Fields {
 public:
  virtual ~Fields() = default;

  virtual void boolean(const char* name, bool& value, const char* doc) = 0;
  virtual void integer(const char* name, std::int64_t& value, Range range, const char* doc) = 0;
  virtual void real(const char* name, double& value, Range range, const char* doc) = 0;
  virtual void string(const char* name, std::string& value, const char* doc) = 0;
  virtual void choice(const char* name, std::string& value, const std::vector<std::string>& choices,
                      const char* doc) = 0;
  virtual void integers(const char* name, std::vector<std::int64_t>& values, Range range, const char* doc) = 0;
  virtual void strings(const char* name, std::vector<std::string>& values, const char* doc) = 0;
  // A list of strings, each one of the choices.
  virtual void choices(const char* name, std::vector<std::string>& values, const std::vector<std::string>& /*choices*/,
                       const char* doc) {
    strings(name, values, doc);
  }

  // A nested object.
  virtual void group(const char* name, const std::function<void(Fields&)>& members, const char* doc) = 0;

  // A nested object whose member "kind" picks one of several alternatives, each with fields of its own beside it.
  struct Alternative {
    std::string kind;
    std::string doc;
    std::function<void()> choose;          // makes the default options of this kind the current ones
    std::function<void(Fields&)> members;  // lists the fields of the current options
  };
  virtual void variant(const char* name, std::string& kind, const std::vector<Alternative>& alternatives,
                       const char* doc) = 0;

  // The field of that name, listed just before, must be given.
  virtual void required(const char* /*name*/) {}

  // A problem between several fields, found after they were read ("width 30 is not divisible by heads 4"): reported
  // with the position of the field `name`. Does nothing when writing.
  virtual void require(bool ok, const char* name, const std::string& message) = 0;
};

// A choice kept as an enum: `names` lists each value with its name in the file.
template <class Enum>
void choice(Fields& f, const char* name, Enum& value, const std::vector<std::pair<Enum, const char*>>& names,
            const char* doc) {
  std::string chosen;
  std::vector<std::string> choices;
  for (const auto& [candidate, candidate_name] : names) {
    choices.emplace_back(candidate_name);
    if (candidate == value) chosen = candidate_name;
  }
  f.choice(name, chosen, choices, doc);
  for (const auto& [candidate, candidate_name] : names) {
    if (chosen == candidate_name) value = candidate;
  }
}

}  // namespace normlab

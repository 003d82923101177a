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
#include <optional>
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
  // A number that may be left out, and is then not written either.
  virtual void optional_real(const char* /*name*/, std::optional<double>& /*value*/, Range, const char* /*doc*/) {}
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

  virtual void reals(const char* /*name*/, std::vector<double>& /*values*/, Range, const char* /*doc*/) {}

  // A nested object.
  virtual void group(const char* name, const std::function<void(Fields&)>& members, const char* doc) = 0;

  // A list of nested objects, for the function of that name below: a reader says how many there are by resize(count);
  // members(i, f) lists the fields of the object i, one_more(f) those of an object with all defaults.
  struct Objects {
    std::size_t count;
    std::function<void(std::size_t)> resize;
    std::function<void(std::size_t, Fields&)> members;
    std::function<void(Fields&)> one_more;
  };
  virtual void objects(const char* /*name*/, const Objects& /*list*/, const char* /*doc*/) {}

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

// A list of objects, each with a member function fields(Fields&).
template <class T>
void objects(Fields& f, const char* name, std::vector<T>& list, const char* doc) {
  f.objects(name,
            {list.size(), [&](std::size_t count) { list.resize(count); },
             [&](std::size_t i, Fields& inner) { list[i].fields(inner); }, [](Fields& inner) { T().fields(inner); }},
            doc);
}

}  // namespace normlab

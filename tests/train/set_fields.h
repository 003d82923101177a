// Options set from a list of names and values, as a config would: { {"beta1", 0.8}, {"decay.kind", "linear"} }.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "engine/error.h"
#include "engine/fields.h"

namespace normlab::test {

using Setting = std::variant<double, bool, std::string, std::vector<std::string>>;
using Settings = std::map<std::string, Setting>;

class SetFields : public Fields {
 public:
  explicit SetFields(const Settings& settings) : left_(settings) {}

  // Error when a setting has met no field.
  void finish() const { check(left_.empty(), "no field takes the setting ", left_.empty() ? "" : left_.begin()->first); }

  void boolean(const char* name, bool& value, const char*) override { take(name, value); }
  void real(const char* name, double& value, Range, const char*) override { take(name, value); }
  void string(const char* name, std::string& value, const char*) override { take(name, value); }
  void strings(const char* name, std::vector<std::string>& values, const char*) override { take(name, values); }
  void choice(const char* name, std::string& value, const std::vector<std::string>&, const char*) override {
    take(name, value);
  }
  void integer(const char* name, std::int64_t& value, Range, const char*) override {
    auto number = static_cast<double>(value);
    take(name, number);
    value = static_cast<std::int64_t>(number);
  }
  void integers(const char*, std::vector<std::int64_t>&, Range, const char*) override {}
  void group(const char* name, const std::function<void(Fields&)>& members, const char*) override {
    nested(name, [&] { members(*this); });
  }
  void variant(const char* name, std::string& kind, const std::vector<Alternative>& alternatives, const char*) override {
    nested(name, [&] {
      std::string wanted = kind;
      take("kind", wanted);
      for (const Alternative& alternative : alternatives) {
        if (alternative.kind != wanted) continue;
        if (wanted != kind) alternative.choose();
        alternative.members(*this);
      }
    });
  }
  void require(bool ok, const char* name, const std::string& message) override {
    check(ok, prefix_, name, ": ", message);
  }

 private:
  template <class T>
  void take(const std::string& name, T& value) {
    const auto entry = left_.extract(prefix_ + name);
    if (!entry.empty()) value = std::get<T>(entry.mapped());
  }
  template <class Body>
  void nested(const std::string& name, Body&& body) {
    const std::string outer = prefix_;
    prefix_ += name + ".";
    body();
    prefix_ = outer;
  }

  Settings left_;
  std::string prefix_;
};

template <class Options>
void set_fields(Options& options, const Settings& settings) {
  SetFields f(settings);
  options.fields(f);
  f.finish();
}

}  // namespace normlab::test

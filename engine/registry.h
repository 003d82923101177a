// Registered alternatives: a norm, an optimizer, a corpus is one file and one line in a list.
//
// `Options` is an abstract struct with `virtual void fields(Fields&)` and whatever makes the thing. The list of all
// kinds is an ordinary function found by name look-up, `const std::vector<Registered<Options>>& registered(const
// Options*)`:
//
//   const std::vector<Registered<NormOptions>>& registered(const NormOptions*) {
//     static const std::vector<Registered<NormOptions>> all = {
//         kind<NormOptions, LayerNormOptions>("layer", "layer normalization"),
//     };
//     return all;
//   }
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "error.h"
#include "fields.h"

namespace normlab {

template <class Options>
struct Registered {
  std::string kind;
  std::string doc;
  std::function<std::shared_ptr<Options>()> make;
};

// An entry of such a list.
template <class Options, class OptionsOfKind>
Registered<Options> kind(const char* name, const char* doc) {
  return {name, doc, [] { return std::make_shared<OptionsOfKind>(); }};
}

// One choice among the registered kinds, with its options. Copies share the options, which are not changed after
// reading.
template <class Options>
class Choice {
 public:
  explicit Choice(const std::string& kind) { set(kind); }

  const std::string& kind() const { return kind_; }
  Options* operator->() { return options_.get(); }
  const Options* operator->() const { return options_.get(); }
  Options& operator*() { return *options_; }
  const Options& operator*() const { return *options_; }

  // Makes the default options of that kind the current ones.
  void set(const std::string& kind) {
    for (const auto& entry : registered(static_cast<const Options*>(nullptr))) {
      if (entry.kind == kind) {
        kind_ = kind;
        options_ = entry.make();
        return;
      }
    }
    throw Error(text("kind \"", kind, "\" is not registered"));
  }

  // Lists the choice as the variant `name`; `common` lists fields that all kinds have.
  void fields(
      Fields& f, const char* name, const char* doc, const std::function<void(Fields&)>& common = [](Fields&) {}) {
    std::vector<Fields::Alternative> alternatives;
    for (const auto& entry : registered(static_cast<const Options*>(nullptr))) {
      alternatives.push_back({entry.kind, entry.doc, [this, kind = entry.kind] { set(kind); },
                              [this, common](Fields& inner) {
                                options_->fields(inner);
                                common(inner);
                              }});
    }
    f.variant(name, kind_, alternatives, doc);
  }

 private:
  std::string kind_;
  std::shared_ptr<Options> options_;
};

}  // namespace normlab

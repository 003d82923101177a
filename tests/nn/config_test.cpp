// The fields of a model's config: that each is listed, with values an enum can take, and the rule between width and
// heads.
#include "nn/language_model.h"
#include "tests/nn/support.h"

using namespace normlab;

namespace {

// Notes the names it is shown, sets choices named in `set`, and keeps the problems reported by require().
class Visitor : public Fields {
 public:
  void boolean(const char* name, bool&, const char*) override { names.emplace_back(name); }
  void integer(const char* name, std::int64_t&, Range range, const char*) override {
    names.emplace_back(name);
    CHECK(range.at_least == 1);
  }
  void real(const char* name, double&, Range, const char*) override { names.emplace_back(name); }
  void string(const char*, std::string&, const char*) override { FAIL("no such field"); }
  void choice(const char* name, std::string& value, const std::vector<std::string>& choices, const char*) override {
    names.emplace_back(name);
    values.push_back(value);
    value = choices.back();
  }
  void integers(const char*, std::vector<std::int64_t>&, Range, const char*) override { FAIL("no such field"); }
  void strings(const char*, std::vector<std::string>&, const char*) override { FAIL("no such field"); }
  void group(const char*, const std::function<void(Fields&)>&, const char*) override { FAIL("no such field"); }
  void variant(const char* name, std::string& kind, const std::vector<Alternative>& alternatives,
               const char*) override {
    names.emplace_back(name);
    values.push_back(kind);
    for (const Alternative& alternative : alternatives) {
      kinds.push_back(alternative.kind);
      alternative.choose();
      alternative.members(*this);
    }
  }
  void require(bool ok, const char* name, const std::string& message) override {
    if (!ok) problems.push_back(text(name, ": ", message));
  }
  std::vector<std::string> names, values, kinds, problems;
};

}  // namespace

TEST_CASE("the config of a language model lists each field, and its choices set enums") {
  LanguageModelConfig config;
  Visitor visitor;
  config.fields(visitor);
  CHECK(visitor.names == std::vector<std::string>{"layers", "width", "heads", "feed_forward", "activation", "placement",
                                                  "final_norm", "norm", "epsilon", "dropout", "attention_dropout",
                                                  "activation_dropout", "positions", "tie_output", "embedding_scale"});
  CHECK(visitor.values == std::vector<std::string>{"relu", "pre", "layer", "sinusoidal"});
  CHECK(visitor.kinds == std::vector<std::string>{"layer", "none"});
  CHECK(config.activation == Activation::gelu);
  CHECK(config.placement == Placement::post);
  CHECK(config.norm.kind() == "none");
  CHECK(config.positions == PositionKind::none);
  CHECK(visitor.problems.empty());
}

TEST_CASE("width must be divisible by heads") {
  LanguageModelConfig config;
  config.width = 30;
  Visitor visitor;
  config.fields(visitor);
  CHECK(visitor.problems ==
        std::vector<std::string>{"heads: width must be divisible by heads, got width 30 and heads 4"});
}

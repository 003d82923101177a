// The fields of a model's config: that each is listed, with values an enum can take, and the rules between fields.
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
  void group(const char* name, const std::function<void(Fields&)>& members, const char*) override {
    names.emplace_back(name);
    members(*this);
  }
  void variant(const char* name, std::string& kind, const std::vector<Alternative>& alternatives,
               const char*) override {
    names.emplace_back(name);
    values.push_back(kind);
    alternatives.back().choose();  // the kinds' own fields are tested with the kinds
    last_kinds.push_back(alternatives.back().kind);
  }
  void require(bool ok, const char* name, const std::string& message) override {
    if (!ok) problems.push_back(text(name, ": ", message));
  }
  std::vector<std::string> names, values, last_kinds, problems;
};

}  // namespace

TEST_CASE("the config of a language model lists each field, and its choices set enums") {
  LanguageModelConfig config;
  Visitor visitor;
  config.fields(visitor);
  CHECK(visitor.names == std::vector<std::string>{"layers",
                                                  "width",
                                                  "heads",
                                                  "feed_forward",
                                                  "activation",
                                                  "placement",
                                                  "final_norm",
                                                  "norm",
                                                  "norm_at",
                                                  "attention",
                                                  "feed_forward",
                                                  "inner",
                                                  "final",
                                                  "dropout",
                                                  "attention_dropout",
                                                  "activation_dropout",
                                                  "recompute",
                                                  "attention",
                                                  "feed_forward",
                                                  "positions",
                                                  "tie_output",
                                                  "output_bias",
                                                  "embedding_scale"});
  CHECK(visitor.values ==
        std::vector<std::string>{"relu", "pre", "layer", "same", "same", "none", "same", "sinusoidal"});
  const std::string last_kind = registered(static_cast<const NormOptions*>(nullptr)).back().kind;
  CHECK(visitor.last_kinds == std::vector<std::string>(5, last_kind));
  CHECK(config.activation == Activation::gelu);
  CHECK(config.placement == Placement::post);
  CHECK(config.norm.kind() == last_kind);
  CHECK(config.norm_at.final.kind() == last_kind);
  CHECK(config.positions == PositionKind::none);
  CHECK(visitor.problems.empty());
}

TEST_CASE("the config of a translation model is that of two stacks, of which only the decoder has cross-attention") {
  TranslationModelConfig config;
  Visitor visitor;
  config.fields(visitor);
  std::vector<std::string> expected;
  for (const bool decoder : {false, true}) {
    expected.emplace_back(decoder ? "decoder" : "encoder");
    for (const char* name : {"layers", "width", "heads", "feed_forward", "activation", "placement", "final_norm",
                             "norm", "norm_at", "attention"}) {
      expected.emplace_back(name);
    }
    if (decoder) expected.emplace_back("cross_attention");
    for (const char* name : {"feed_forward", "inner", "final", "dropout", "attention_dropout", "activation_dropout",
                             "recompute", "attention", "feed_forward"}) {
      expected.emplace_back(name);
    }
  }
  for (const char* name : {"positions", "share_embeddings", "output_bias", "embedding_scale"})
    expected.emplace_back(name);
  CHECK(visitor.names == expected);
  CHECK(config.decoder.norm_at.cross_attention.kind() == visitor.last_kinds.back());
  CHECK(config.encoder.norm_at.cross_attention.kind() == "same");
  CHECK(config.share_embeddings == EmbeddingSharing::none);
  CHECK(visitor.problems.empty());
}

TEST_CASE("encoder and decoder must have one width") {
  TranslationModelConfig config;
  config.decoder.width = 64;
  Visitor visitor;
  config.fields(visitor);
  CHECK(visitor.problems == std::vector<std::string>{"decoder: width must be that of the encoder, got 64 and 128"});
}

TEST_CASE("each site has the norm of the stack or one of its own") {
  StackConfig config = small_config(Placement::pre);
  config.norm.set("batch");
  config.norm_at.feed_forward.set("power");
  config.norm_at.final.set("none");
  config.norm_at.inner.set("same");
  const Stack stack(init_f64(), config, true);
  CHECK(paths_of(stack.buffers()) ==
        std::vector<std::string>{
            "layers.0.attention_norm.running_mean", "layers.0.attention_norm.running_variance",
            "layers.0.feed_forward.inner_norm.running_mean", "layers.0.feed_forward.inner_norm.running_variance",
            "layers.0.feed_forward_norm.running_second_moment", "layers.0.feed_forward_norm.nu",
            "layers.0.feed_forward_norm.updates", "layers.1.attention_norm.running_mean",
            "layers.1.attention_norm.running_variance", "layers.1.feed_forward.inner_norm.running_mean",
            "layers.1.feed_forward.inner_norm.running_variance", "layers.1.feed_forward_norm.running_second_moment",
            "layers.1.feed_forward_norm.nu", "layers.1.feed_forward_norm.updates"});
}

TEST_CASE("a pre-scale's groups are the heads unless given, and must divide the features of every site") {
  LanguageModelConfig config = small_config(Placement::pre);
  config.feed_forward = 13;
  config.norm.pre_scale = PreScale::grouped_rms;
  CHECK(config.norm_problem().empty());  // no norm between the two maps
  config.norm_at.inner.set("same");
  CHECK(config.norm_problem() ==
        "the groups of the pre-scale must divide the features, got 2 groups and 13 features; "
        "set pre_scale_groups");
  config.norm.pre_scale_groups = 3;
  CHECK(config.norm_problem() ==
        "the groups of the pre-scale must divide the features, got 3 groups and 8 features; "
        "set pre_scale_groups");
}

TEST_CASE("width must be divisible by heads") {
  LanguageModelConfig config;
  config.width = 30;
  Visitor visitor;
  config.fields(visitor);
  CHECK(visitor.problems ==
        std::vector<std::string>{"heads: width must be divisible by heads, got width 30 and heads 4"});
}

TEST_CASE("an output bias needs an output matrix of its own") {
  LanguageModelConfig config;
  config.output_bias = true;
  Visitor visitor;
  config.fields(visitor);
  CHECK(visitor.problems == std::vector<std::string>{"output_bias: needs tie_output off, got both on"});
}

// The workloads: see the header.
#include "workloads.h"

#include <algorithm>

#include "../../engine/ops/reduce.h"
#include "../../engine/random.h"
#include "../../nn/language_model.h"
#include "../../nn/translation_model.h"

namespace normlab {
namespace {

constexpr Index kVocabulary = 10'000;

double number(Index value) { return static_cast<double>(value); }

Tensor random_tokens(Random& random, Index count) {
  Tensor tokens = Tensor::empty({count}, Dtype::i32);
  for (Index i = 0; i < count; ++i) tokens.set(i, number(random.below(kVocabulary)));
  return tokens;
}

// Three times two operations: forward once, backward twice.
double step_operations(double multiply_adds) { return 3 * 2 * multiply_adds; }

// Multiply-adds of attention between the sequences of `queries` and `keys`: once for the scores, once for the values. A
// causal query at place i meets i + 1 keys.
double attention_multiply_adds(const Rows& queries, const Rows& keys, Index width, bool causal) {
  double pairs = 0;
  for (Index s = 0; s < queries.sequences(); ++s) {
    pairs += number(queries.length(s)) * (causal ? number(queries.length(s) + 1) / 2 : number(keys.length(s)));
  }
  return 2 * number(width) * pairs;
}

StackConfig stack(Index layers, Index width, Index heads, Index feed_forward, const StackConfig::Recompute& recompute) {
  StackConfig config;
  config.recompute = recompute;
  config.layers = layers;
  config.width = width;
  config.heads = heads;
  config.feed_forward = feed_forward;
  config.dropout = config.attention_dropout = 0.1;
  return config;
}

class LanguageModelWorkload final : public Workload {
 public:
  explicit LanguageModelWorkload(const StackConfig::Recompute& recompute)
      : model_(Init(), config(recompute), kVocabulary, rows_.longest()) {}
  Module& model() override { return model_; }
  Tensor loss(std::size_t, const Pass& pass) override {
    return model_.loss(inputs_, rows_, pass, targets_, rows_).loss;
  }
  double tokens() const override { return number(rows_.tokens()); }
  double operations() const override {
    const auto& c = model_.config();
    const double width = number(c.width), in_layer = 4 * width * width + 2 * width * number(c.feed_forward);
    return step_operations(tokens() * (number(c.layers) * in_layer + width * number(kVocabulary)) +
                           number(c.layers) * attention_multiply_adds(rows_, rows_, c.width, /*causal=*/true));
  }

 private:
  static LanguageModelConfig config(const StackConfig::Recompute& recompute) {
    LanguageModelConfig config;
    static_cast<StackConfig&>(config) = stack(4, 256, 4, 1024, recompute);
    return config;
  }

  const Rows rows_ = Rows::equal(16, 128);
  Random random_{1, "bench"};
  const Tensor inputs_ = random_tokens(random_, rows_.tokens()), targets_ = random_tokens(random_, rows_.tokens());
  LanguageModel model_;
};

class TranslationWorkload final : public Workload {
 public:
  // Each batch's lengths of sources and of targets.
  using Lengths = std::vector<std::pair<std::vector<Index>, std::vector<Index>>>;

  TranslationWorkload(const Lengths& lengths, const StackConfig::Recompute& recompute)
      : model_(Init(), config(recompute), {kVocabulary, kVocabulary, kLongest, kLongest}) {
    Random random(1, "bench");
    for (const auto& [sources, targets] : lengths) {
      Batch batch{Rows::of_lengths(sources), Rows::of_lengths(targets), {}, {}, {}};
      batch.source = random_tokens(random, batch.source_rows.tokens());
      batch.inputs = random_tokens(random, batch.rows.tokens());
      batch.targets = random_tokens(random, batch.rows.tokens());
      batches_.push_back(std::move(batch));
    }
  }
  Module& model() override { return model_; }
  Tensor loss(std::size_t index, const Pass& pass) override {
    const Batch& b = batches_.at(index);
    return model_.loss(b.source, b.source_rows, b.inputs, b.rows, pass, b.targets, /*label_smoothing=*/0.1).loss;
  }
  std::size_t batches() const override { return batches_.size(); }
  double tokens() const override {
    double sum = 0;
    for (const Batch& b : batches_) sum += number(b.source_rows.tokens() + b.rows.tokens());
    return sum;
  }
  double operations() const override {
    const StackConfig& c = model_.config().encoder;
    const double width = number(c.width), layers = number(c.layers);
    const double feed_forward = 2 * width * number(c.feed_forward), map = width * width;
    double sum = 0;
    for (const Batch& b : batches_) {
      // Of the cross-attention's four maps two are of the source: keys and values.
      sum += number(b.source_rows.tokens()) * layers * (4 * map + feed_forward + 2 * map);
      sum += number(b.rows.tokens()) * (layers * (4 * map + feed_forward + 2 * map) + width * number(kVocabulary));
      sum += layers * (attention_multiply_adds(b.source_rows, b.source_rows, c.width, false) +
                       attention_multiply_adds(b.rows, b.rows, c.width, /*causal=*/true) +
                       attention_multiply_adds(b.rows, b.source_rows, c.width, false));
    }
    return step_operations(sum);
  }

 private:
  struct Batch {
    Rows source_rows, rows;
    Tensor source, inputs, targets;
  };
  static constexpr Index kLongest = 64;
  static TranslationModelConfig config(const StackConfig::Recompute& recompute) {
    TranslationModelConfig config;
    config.encoder = config.decoder = stack(6, 512, 4, 1024, recompute);
    return config;
  }

  std::vector<Batch> batches_;
  TranslationModel model_;
};

TranslationWorkload::Lengths equal_lengths() {
  const std::vector<Index> lengths(64, 32);
  return {{lengths, lengths}};
}

// 8 batches of 64 pairs. The sources' lengths are spread evenly over 4 to 64, in no order; a target is up to 8 tokens
// shorter or longer than its source, within the same bounds. tests/benchmarks/step_reference.py has the same.
TranslationWorkload::Lengths ragged_lengths() {
  TranslationWorkload::Lengths lengths(8);
  Index pair = 0;
  for (auto& [sources, targets] : lengths) {
    for (int i = 0; i < 64; ++i, ++pair) {
      const Index source = 4 + pair * 37 % 61;
      sources.push_back(source);
      targets.push_back(std::clamp<Index>(source - 8 + pair * 11 % 17, 4, 64));
    }
  }
  return lengths;
}

class AttentionWorkload final : public Workload {
 public:
  explicit AttentionWorkload(const StackConfig::Recompute& recompute)
      : layer_(Init(), stack(1, kWidth, kHeads, 0, recompute).attention_options(/*causal=*/true)) {}
  Module& model() override { return layer_; }
  Tensor loss(std::size_t, const Pass& pass) override { return mean(layer_.forward(x_, x_, rows_, rows_, pass)); }
  double tokens() const override { return number(rows_.tokens()); }
  double operations() const override {
    // The input is no parameter's: its gradient needs no products.
    const double maps = number(kWidth * kWidth) * tokens();
    return 2 * (3 * 2 + 3) * maps + step_operations(attention_multiply_adds(rows_, rows_, kWidth, /*causal=*/true));
  }

 private:
  static constexpr Index kWidth = 256, kHeads = 4;
  static Tensor input(Index tokens) {
    Tensor x = Tensor::empty({tokens, kWidth}, Dtype::f32);
    fill_normal(x, random_stream(1, "bench"), 0, 1);
    return x;
  }

  const Rows rows_ = Rows::equal(16, 2048);
  const Tensor x_ = input(rows_.tokens());
  MultiHeadAttention layer_;
};

}  // namespace

const std::vector<NamedWorkload>& workloads() {
  using Recompute = StackConfig::Recompute;
  using Made = std::unique_ptr<Workload>;
  static const std::vector<NamedWorkload> all = {
      {"lm", "4 layers, width 256, 4 heads, ffn 1024, vocabulary 10,000, tied; 16 x 128 tokens",
       [](const Recompute& recompute) -> Made { return std::make_unique<LanguageModelWorkload>(recompute); }},
      {"nmt",
       "6+6 layers, width 512, 4 heads, ffn 1024, vocabulary 10,000, tied, label smoothing 0.1; 64 x 32+32 tokens",
       [](const Recompute& recompute) -> Made {
         return std::make_unique<TranslationWorkload>(equal_lengths(), recompute);
       }},
      {"nmt-ragged", "the model of nmt; 8 batches of 64 pairs of 4 to 64 tokens, packed",
       [](const Recompute& recompute) -> Made {
         return std::make_unique<TranslationWorkload>(ragged_lengths(), recompute);
       }},
      {"attention", "one layer of causal self attention, width 256, 4 heads; 16 x 2048 tokens",
       [](const Recompute& recompute) -> Made { return std::make_unique<AttentionWorkload>(recompute); }},
  };
  return all;
}

}  // namespace normlab

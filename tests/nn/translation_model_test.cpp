// The translation model: names, who sees what, what its settings do, and decoding step by step.
#include "nn/translation_model.h"

#include <functional>

#include "tests/nn/sentences.h"

using namespace normlab;

namespace {

// Which rows are the same to the bit in both.
std::vector<bool> same_rows(const Tensor& a, const Tensor& b) {
  std::vector<bool> same(static_cast<std::size_t>(a.rows()), true);
  for (Index i = 0; i < a.size(); ++i) {
    if (a.at(i) != b.at(i)) same[static_cast<std::size_t>(i / a.columns())] = false;
  }
  return same;
}

// The ids with one of them replaced by the next.
Tensor changed(const Tensor& ids, Index at) {
  Tensor result = ids.clone();
  result.set(at, static_cast<double>((static_cast<Index>(ids.at(at)) + 1) % 11));
  return result;
}

}  // namespace

TEST_CASE("translation model: the names of a decoder layer's parameters and of all that stands outside of layers") {
  const auto outside = [](const TranslationModelConfig& config) {
    auto paths = paths_of(TranslationModel(init_f64(), config, kExtents).parameters());
    std::erase_if(paths, [](const std::string& path) { return path.find("layers.") != std::string::npos; });
    return paths;
  };
  CHECK(outside(small_translation_config(Placement::post)) == std::vector<std::string>{"embedding.weight"});
  TranslationModelConfig config = small_translation_config(Placement::pre, EmbeddingSharing::output);
  CHECK(outside(config) == std::vector<std::string>{"encoder.embedding.weight", "decoder.embedding.weight",
                                                    "encoder.final_norm.weight", "encoder.final_norm.bias",
                                                    "decoder.final_norm.weight", "decoder.final_norm.bias"});
  config = small_translation_config(Placement::post, EmbeddingSharing::none);
  config.positions = PositionKind::learned;
  CHECK(outside(config) == std::vector<std::string>{"encoder.embedding.weight", "decoder.embedding.weight",
                                                    "encoder.positions.weight", "decoder.positions.weight",
                                                    "output.weight"});

  std::vector<std::string> expected;
  for (const std::string attention : {"attention", "cross_attention"}) {
    for (const char* map : {"query", "key", "value", "output"}) {
      for (const char* kind : {".weight", ".bias"}) expected.push_back("layer." + attention + "." + map + kind);
    }
    for (const char* kind : {"weight", "bias"}) expected.push_back("layer." + attention + "_norm." + kind);
  }
  for (const char* name : {"feed_forward.inner.weight", "feed_forward.inner.bias", "feed_forward.outer.weight",
                           "feed_forward.outer.bias", "feed_forward_norm.weight", "feed_forward_norm.bias"}) {
    expected.push_back(text("layer.", name));
  }
  CHECK(paths_of(DecoderLayer(init_f64("layer"), config.decoder).parameters()) == expected);
}

TEST_CASE("translation model: a target token sees its whole source and the targets up to itself, no other sentence") {
  const TranslationModel model(init_f64(), small_translation_config(Placement::pre), kExtents);
  Sentences sentences;
  const Tensor before = sentences.logits(model);
  sentences.source = changed(sentences.source, 0);  // the first of the first sentence, which has the targets 0 to 3
  CHECK(same_rows(before, sentences.logits(model)) ==
        std::vector<bool>{false, false, false, false, true, true, true, true});
  sentences = {};
  sentences.source = changed(sentences.source, 8);  // the last of the second sentence: target 4
  CHECK(same_rows(before, sentences.logits(model)) ==
        std::vector<bool>{true, true, true, true, false, true, true, true});
  sentences = {};
  sentences.inputs = changed(sentences.inputs, 2);
  CHECK(same_rows(before, sentences.logits(model)) ==
        std::vector<bool>{true, true, false, false, true, true, true, true});
}

TEST_CASE("translation model: each kind of dropout acts on its own side, in training alone") {
  const Sentences sentences;
  TranslationModelConfig none = small_translation_config(Placement::pre);
  none.encoder.dropout = none.decoder.dropout = 0;
  const Tensor plain = sentences.logits(TranslationModel(init_f64(), none, kExtents), kTraining);
  for (StackConfig TranslationModelConfig::*side :
       {&TranslationModelConfig::encoder, &TranslationModelConfig::decoder}) {
    for (double StackConfig::*kind :
         {&StackConfig::dropout, &StackConfig::attention_dropout, &StackConfig::activation_dropout}) {
      TranslationModelConfig config = none;
      config.*side.*kind = 0.5;
      const TranslationModel model(init_f64(), config, kExtents);
      CHECK(same_bits(sentences.logits(model), plain));
      CHECK_FALSE(same_bits(sentences.logits(model, kTraining), plain));
      CHECK(same_bits(sentences.logits(model, kTraining), sentences.logits(model, kTraining)));
    }
  }
}

namespace {

// The share of zeros in what is shown at one site.
class Zeros : public Observer {
 public:
  explicit Zeros(std::string site) : site_(std::move(site)) {}
  void value(const std::string& site, const Tensor& x) override {
    if (site != site_) return;
    Index zeros = 0;
    for (const double value : x.values<double>()) zeros += value == 0;
    share = static_cast<double>(zeros) / static_cast<double>(x.size());
    where = x.clone();
  }
  double share = -1;
  Tensor where;

 private:
  std::string site_;
};

}  // namespace

TEST_CASE("each residual branch of a decoder layer has a dropout of its own") {
  // With half of each of the three branches dropped independently, 1 feature in 8 goes through unchanged. Two branches
  // that shared their random numbers would make it 1 in 4.
  StackConfig config = small_config(Placement::pre);
  config.dropout = 0.5;
  const DecoderLayer layer(init_f64("layer"), config);
  const Rows rows = Rows::equal(16, 16);
  const Tensor x = random_tensor({256, 8}, "x");
  const Tensor y = layer.forward(x, rows, random_tensor({256, 8}, "source"), rows, kTraining);
  Index unchanged = 0;
  for (Index i = 0; i < x.size(); ++i) unchanged += x.at(i) == y.at(i);
  CHECK(static_cast<double>(unchanged) / 2048 == Approx(1.0 / 8).margin(0.03));
}

TEST_CASE("translation model: embeddings are dropped out on both sides, by each side's own share") {
  const Sentences sentences;
  TranslationModelConfig config = small_translation_config(Placement::pre);
  config.encoder.dropout = 0.25;
  config.decoder.dropout = 0.75;
  const TranslationModel model(init_f64(), config, kExtents);
  for (const auto& [site, share] : {std::pair{"encoder.input", 0.25}, std::pair{"decoder.input", 0.75}}) {
    Zeros zeros(site);
    Tape tape(&zeros);
    sentences.logits(model, kTraining);
    CHECK(zeros.share == Approx(share).margin(0.15));
  }
}

TEST_CASE("translation model: each side's embeddings have a dropout of their own") {
  const Sentences sentences;
  TranslationModelConfig config = small_translation_config(Placement::pre);
  config.encoder.dropout = config.decoder.dropout = 0.5;
  const TranslationModel model(init_f64(), config, kExtents);
  std::vector<Tensor> seen;
  for (const char* site : {"encoder.input", "decoder.input"}) {
    Zeros zeros(site);
    Tape tape(&zeros);
    sentences.logits(model, kTraining);
    seen.push_back(zeros.where);
  }
  const Index size = std::min(seen[0].size(), seen[1].size());
  Index alike = 0;
  for (Index i = 0; i < size; ++i) alike += (seen[0].at(i) == 0) == (seen[1].at(i) == 0);
  CHECK(static_cast<double>(alike) / static_cast<double>(size) == Approx(0.5).margin(0.2));
}

TEST_CASE("translation model: every setting changes what comes out") {
  const Sentences sentences;
  const auto logits = [&](const std::function<void(TranslationModelConfig&)>& change) {
    TranslationModelConfig config = small_translation_config(Placement::pre);
    change(config);
    return sentences.logits(TranslationModel(init_f64(), config, kExtents));
  };
  const Tensor plain = logits([](TranslationModelConfig&) {});
  const std::vector<std::function<void(TranslationModelConfig&)>> changes = {
      [](TranslationModelConfig& c) { c.encoder.layers = 1; },
      [](TranslationModelConfig& c) { c.decoder.layers = 1; },
      [](TranslationModelConfig& c) { c.encoder.heads = 4; },
      [](TranslationModelConfig& c) { c.decoder.heads = 4; },
      [](TranslationModelConfig& c) { c.encoder.feed_forward = 13; },
      [](TranslationModelConfig& c) { c.decoder.activation = Activation::gelu; },
      [](TranslationModelConfig& c) { c.encoder.placement = Placement::post; },
      [](TranslationModelConfig& c) { c.decoder.placement = Placement::post; },
      [](TranslationModelConfig& c) { c.encoder.final_norm = false; },
      [](TranslationModelConfig& c) { c.decoder.final_norm = false; },
      [](TranslationModelConfig& c) { c.encoder.norm.set("batch"); },
      [](TranslationModelConfig& c) { c.decoder.norm.set("batch"); },
      [](TranslationModelConfig& c) { c.decoder.norm_at.cross_attention.set("none"); },
      [](TranslationModelConfig& c) { c.positions = PositionKind::none; },
      [](TranslationModelConfig& c) { c.positions = PositionKind::learned; },
      [](TranslationModelConfig& c) { c.share_embeddings = EmbeddingSharing::output; },
      [](TranslationModelConfig& c) { c.share_embeddings = EmbeddingSharing::none; },
      [](TranslationModelConfig& c) { c.embedding_scale = false; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    INFO("change " << i);
    CHECK(largest_difference(logits(changes[i]), plain) > 1e-3);
  }
}

TEST_CASE("translation model: token by token it gives what the whole sentence gives") {
  const Sentences sentences;
  for (const Placement placement : {Placement::pre, Placement::post}) {
    TranslationModelConfig config = small_translation_config(placement);
    config.decoder.norm.set("batch");  // running statistics
    const TranslationModel model(init_f64(), config, kExtents);
    shake(model);
    const Tensor whole = sentences.logits(model);
    DecoderCache cache = model.start(sentences.source, sentences.source_rows);
    std::vector<Index> alive = {0, 1, 2};
    for (Index position = 0; position < sentences.rows.longest(); ++position) {
      Beams beams;
      std::vector<Index> still, lengths;
      std::vector<std::int32_t> inputs;
      for (Index sentence = 0; sentence < 3; ++sentence) {
        lengths.push_back(position < sentences.rows.length(sentence));
        if (lengths.back() == 0) continue;
        still.push_back(sentence);
        inputs.push_back(static_cast<std::int32_t>(sentences.inputs.at(sentences.rows.begin(sentence) + position)));
        beams.parents.push_back(std::find(alive.begin(), alive.end(), sentence) - alive.begin());
      }
      alive = still;
      beams.hypotheses = Rows::of_lengths(lengths);
      const Tensor step = model.step(Tensor::from({beams.hypotheses.tokens()}, inputs), beams, cache);
      for (std::size_t i = 0; i < alive.size(); ++i) {
        for (Index j = 0; j < 11; ++j) {
          const Index row = sentences.rows.begin(alive[i]) + position;
          CHECK(step.at(static_cast<Index>(i) * 11 + j) == Approx(whole.at(row * 11 + j)).margin(1e-12));
        }
      }
    }
  }
}

TEST_CASE("translation model: errors name what must hold") {
  const TranslationModelConfig config = small_translation_config(Placement::pre);
  CHECK_THROWS_WITH(TranslationModel(init_f64(), config, {11, 12, 6, 6}),
                    "translation model: shared embeddings need one vocabulary, got 11 entries of the source and 12 of "
                    "the target");
  TranslationModelConfig wide = config;
  wide.decoder.width = 16;
  CHECK_THROWS_WITH(TranslationModel(init_f64(), wide, kExtents),
                    "translation model: encoder and decoder must have one width, got 8 and 16");

  const TranslationModel model(init_f64(), config, kExtents);
  const Tensor ids = random_ids(3, 11, "ids");
  const Rows three = Rows::single(3);
  CHECK_THROWS_WITH(model.logits(ids, Rows::single(4), ids, three, {}),
                    "translation model: the source must hold the tokens of its rows, got [3] for 4 tokens");
  CHECK_THROWS_WITH(model.logits(ids, three, ids, Rows::single(4), {}),
                    "translation model: inputs must hold the tokens of their rows, got [3] for 4 tokens");
  CHECK_THROWS_WITH(model.logits(ids, Rows({0, 3}, {1, 1, 0}), ids, three, {}),
                    "translation model: every row of the source must be a token, got 1 that do not count; attention "
                    "would see them");
  const Tensor long_ids = random_ids(7, 11, "long");
  CHECK_THROWS_WITH(model.logits(long_ids, Rows::single(7), ids, three, {}),
                    "encoder.positions: positions: sequences must have at most 6 tokens, got one of 7");

  DecoderCache cache = model.start(ids, three);
  const Tensor one = random_ids(1, 11, "one");
  CHECK_THROWS_WITH(model.step(ids, {Rows::single(1), {}}, cache),
                    "translation model: a step must have a token for each of the 1 hypotheses, got [3]");
  model.step(one, {Rows::single(1), {}}, cache);
  CHECK_THROWS_WITH(model.step(one, {Rows::single(1), {1}}, cache),
                    "decoder: each of 1 hypotheses must continue one of the 1 of the step before, got 1 parents or one "
                    "out of range");
}

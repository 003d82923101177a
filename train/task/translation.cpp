// Translation: see the header.
#include "translation.h"

#include <algorithm>

namespace normlab {
namespace {

const TranslationData& pairs_of(const Data& data) { return dynamic_cast<const TranslationData&>(data); }

TranslationExtents extents_of(const TranslationData& data) {
  return {data.source_vocabulary_size(), data.target_vocabulary_size(), data.longest_source(), data.longest_target()};
}

void require_vocabularies(const TranslationModelConfig& config, const TranslationData& data) {
  check(config.share_embeddings != EmbeddingSharing::all || data.shared_vocabulary(),
        "model: share_embeddings \"all\" needs one vocabulary for both languages, the data have one for each; set "
        "model.share_embeddings to \"output\", or a shared vocabulary in the data");
}

class PairsBatch : public MicroBatch {
 public:
  PairsBatch(const TranslationModel& model, TranslationBatch batch) : model_(model), batch_(std::move(batch)) {}
  Index predicted() const override { return batch_.target_rows.counted(); }
  CrossEntropy loss(const Pass& pass, double label_smoothing, double tokens) const override {
    return model_.loss(batch_.sources, batch_.source_rows, batch_.inputs, batch_.target_rows, pass, batch_.targets,
                       label_smoothing, tokens);
  }

 private:
  const TranslationModel& model_;
  TranslationBatch batch_;
};

}  // namespace

Translation::Translation(const Init& init, const TranslationModelConfig& config, const DecodingOptions& decoding,
                         const TranslationData& data)
    : data_(data), decoding_(decoding), model_(init, config, extents_of(data)) {}

std::unique_ptr<MicroBatch> Translation::training_batch(std::uint64_t index) const {
  return std::make_unique<PairsBatch>(model_, data_.training_batch(index));
}

CrossEntropy Translation::evaluate(Split split, Index index, const Pass& pass) const {
  return PairsBatch(model_, data_.evaluation_batch(split, index)).loss(pass, 0, 0);
}

std::vector<std::pair<std::string, double>> Translation::scores(Split split) const {
  try {
    return scores_of_finite(split);
  } catch (const NotFinite&) {
    return {{"bleu", 0}, {"bleu_tokenized", 0}, {"chrf", 0}};
  }
}

std::vector<std::pair<std::string, double>> Translation::scores_of_finite(Split split) const {
  std::vector<std::string> plain, words, plain_references, words_references;
  const auto append = [](std::vector<std::string>& all, const std::vector<std::string>& more) {
    all.insert(all.end(), more.begin(), more.end());
  };
  for (Index i = 0; i < data_.evaluation_batches(split); ++i) {
    const TranslationBatch batch = data_.evaluation_batch(split, i);
    for (const std::vector<Hypothesis>& best_first :
         decode(model_, batch.sources, batch.source_rows, data_.begin_symbol(), data_.end_symbol(), decoding_)) {
      plain.push_back(data_.target_text(best_first.front().tokens, TextForm::plain));
      words.push_back(data_.target_text(best_first.front().tokens, TextForm::words));
    }
    append(plain_references, data_.references(split, i, TextForm::plain));
    append(words_references, data_.references(split, i, TextForm::words));
  }
  if (plain.empty()) return {};
  return {{"bleu", corpus_bleu(plain, plain_references, bleu_options(BleuTokenizer::v13a)).score},
          {"bleu_tokenized", corpus_bleu(words, words_references, bleu_options(BleuTokenizer::none)).score},
          {"chrf", corpus_chrf(plain, plain_references, chrf_options()).score}};
}

std::map<std::string, std::string> Translation::score_definitions() const {
  return {{"bleu", "BLEU of plain text, " + bleu_signature(bleu_options(BleuTokenizer::v13a))},
          {"bleu_tokenized",
           "BLEU of the words of the data's tokenizer, " + bleu_signature(bleu_options(BleuTokenizer::none))},
          {"chrf", "chrF2 of plain text, " + chrf_signature(chrf_options())}};
}

void TranslationModelOptions::fields(Fields& f) {
  config.fields(f);
  f.group(
      "decoding", [this](Fields& g) { decoding.fields(g); }, "how translations are found when they are scored");
}

std::unique_ptr<Task> TranslationModelOptions::make(const Init& init, const Data& data) const {
  require_vocabularies(config, pairs_of(data));
  return std::make_unique<Translation>(init, config, decoding, pairs_of(data));
}

TrainingSize TranslationModelOptions::training_size(const Data& data, Dtype dtype) const {
  const TranslationData& pairs = pairs_of(data);
  require_vocabularies(config, pairs);
  Index source = 0, target = 0;  // of the largest batches of an epoch
  for (Index i = 0; i < pairs.batches_per_epoch(); ++i) {
    const TranslationBatch batch = pairs.training_batch(static_cast<std::uint64_t>(i));
    source = std::max(source, batch.source_rows.tokens());
    target = std::max(target, batch.target_rows.tokens());
  }
  return normlab::training_size(config, extents_of(pairs), source, target, dtype);
}

ModelCheck TranslationModelOptions::check(double label_smoothing, std::uint64_t seed) const {
  return check_model(config, label_smoothing, seed);
}

}  // namespace normlab

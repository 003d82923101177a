// Translation: a sentence from its original in another language.
#pragma once

#include "../../data/bleu.h"
#include "../../data/chrf.h"
#include "../../data/translation.h"
#include "../../nn/decoding.h"
#include "../task.h"

namespace normlab {

class Translation : public Task {
 public:
  Translation(const Init& init, const TranslationModelConfig& config, const DecodingOptions& decoding,
              const TranslationData& data);

  TranslationModel& model() override { return model_; }
  const TranslationModel& model() const { return model_; }
  const TranslationData& data() const override { return data_; }
  std::unique_ptr<MicroBatch> training_batch(std::uint64_t index) const override;
  CrossEntropy evaluate(Split split, Index index, const Pass& pass) const override;
  // Of the best translation of each sentence of the split: "bleu", sacreBLEU's definition on plain text (tokenizer
  // 13a); "bleu_tokenized", of words as the data's tokenizer leaves them, as both papers report it; "chrf". All by the
  // case that the data spell, and all 0 when the model computes NaN or infinity.
  std::vector<std::pair<std::string, double>> scores(Split split) const override;
  std::map<std::string, std::string> score_definitions() const override;

 private:
  std::vector<std::pair<std::string, double>> scores_of_finite(Split split) const;
  BleuOptions bleu_options(BleuTokenizer tokenizer) const {
    return {.tokenizer = tokenizer, .lowercase = data_.lowercase()};
  }
  ChrfOptions chrf_options() const { return {.lowercase = data_.lowercase()}; }
  const TranslationData& data_;
  DecodingOptions decoding_;
  TranslationModel model_;
};

struct TranslationModelOptions : ModelOptions {
  TranslationModelConfig config;
  DecodingOptions decoding;

  void fields(Fields& f) override;
  Content content() const override { return Content::sentence_pairs; }
  std::unique_ptr<Task> make(const Init& init, const Data& data) const override;
  TrainingSize training_size(const Data& data, Dtype dtype) const override;
  ModelCheck check(double label_smoothing, std::uint64_t seed) const override;
};

}  // namespace normlab

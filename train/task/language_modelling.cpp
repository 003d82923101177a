// Language modelling: see the header.
#include "language_modelling.h"

#include <algorithm>

#include "../../data/ngram.h"

namespace normlab {
namespace {

const LanguageData& text_of(const Data& data) { return dynamic_cast<const LanguageData&>(data); }

class TextBatch : public MicroBatch {
 public:
  TextBatch(const LanguageModel& model, Batch batch) : model_(model), batch_(std::move(batch)) {}
  Index predicted() const override { return batch_.predicted.counted(); }
  CrossEntropy loss(const Pass& pass, double label_smoothing, double tokens) const override {
    return model_.loss(batch_.inputs, batch_.rows, pass, batch_.targets, batch_.predicted, label_smoothing, tokens);
  }

 private:
  const LanguageModel& model_;
  Batch batch_;
};

}  // namespace

LanguageModelling::LanguageModelling(const Init& init, const LanguageModelConfig& config, const LanguageData& data)
    : data_(data), model_(init, config, data.vocabulary_size(), data.longest_sequence()) {}

std::unique_ptr<MicroBatch> LanguageModelling::training_batch(std::uint64_t index) const {
  return std::make_unique<TextBatch>(model_, data_.training_batch(index));
}

CrossEntropy LanguageModelling::evaluate(Split split, Index index, const Pass& pass) const {
  return TextBatch(model_, data_.evaluation_batch(split, index)).loss(pass, 0, 0);
}

std::unique_ptr<Task> LanguageModelOptions::make(const Init& init, const Data& data) const {
  return std::make_unique<LanguageModelling>(init, config, text_of(data));
}

TrainingSize LanguageModelOptions::training_size(const Data& data, Dtype dtype) const {
  const LanguageData& text = text_of(data);
  Index tokens = 0;  // of the largest batch of an epoch
  for (Index i = 0; i < text.batches_per_epoch(); ++i) {
    tokens = std::max(tokens, text.training_batch(static_cast<std::uint64_t>(i)).rows.tokens());
  }
  return normlab::training_size(config, text.vocabulary_size(), text.longest_sequence(), tokens, dtype);
}

ModelCheck LanguageModelOptions::check(double label_smoothing, std::uint64_t seed) const {
  return check_model(config, label_smoothing, seed);
}

std::vector<Baseline> LanguageModelOptions::baselines(const Data& data) const {
  if (data.evaluation_batches(Split::valid) == 0) return {};
  const NgramPerplexity ngrams = ngram_perplexity(text_of(data), Split::valid);
  return {{"unigram", ngrams.unigram, ""}, {"bigram", ngrams.bigram, ""}};
}

}  // namespace normlab

// Language modelling: each token of a text from the ones before it.
#pragma once

#include "../../data/language.h"
#include "../task.h"

namespace normlab {

class LanguageModelling : public Task {
 public:
  LanguageModelling(const Init& init, const LanguageModelConfig& config, const LanguageData& data);

  LanguageModel& model() override { return model_; }
  const LanguageData& data() const override { return data_; }
  std::unique_ptr<MicroBatch> training_batch(std::uint64_t index) const override;
  CrossEntropy evaluate(Split split, Index index, const Pass& pass) const override;

 private:
  const LanguageData& data_;
  LanguageModel model_;
};

struct LanguageModelOptions : ModelOptions {
  LanguageModelConfig config;

  void fields(Fields& f) override { config.fields(f); }
  Content content() const override { return Content::text; }
  std::unique_ptr<Task> make(const Init& init, const Data& data) const override;
  TrainingSize training_size(const Data& data, Dtype dtype) const override;
  ModelCheck check(double label_smoothing, std::uint64_t seed) const override;
  std::vector<Baseline> baselines(const Data& data) const override;
};

}  // namespace normlab

// Classification: which of several classes an image is of.
#pragma once

#include "../../data/images.h"
#include "../../nn/vision_transformer.h"
#include "../task.h"

namespace normlab {

// What is predicted, and counted as `tokens` in reports, are images.
class Classification : public Task {
 public:
  Classification(const Init& init, const VisionTransformerConfig& config, const ImageData& data);

  VisionTransformer& model() override { return model_; }
  const ImageData& data() const override { return data_; }
  std::unique_ptr<MicroBatch> training_batch(std::uint64_t index) const override;
  CrossEntropy evaluate(Split split, Index index, const Pass& pass) const override;
  bool scores_accuracy() const override { return true; }
  std::map<std::string, std::string> score_definitions() const override;

 private:
  const ImageData& data_;
  Dtype dtype_;
  VisionTransformer model_;
};

struct VisionTransformerOptions : ModelOptions {
  VisionTransformerConfig config;

  void fields(Fields& f) override { config.fields(f); }
  Content content() const override { return Content::images; }
  std::unique_ptr<Task> make(const Init& init, const Data& data) const override;
  TrainingSize training_size(const Data& data, Dtype dtype) const override;
  ModelCheck check(double label_smoothing, std::uint64_t seed) const override;
};

}  // namespace normlab

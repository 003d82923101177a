// Classification: see the header.
#include "classification.h"

namespace normlab {
namespace {

const ImageData& images_of(const Data& data) { return dynamic_cast<const ImageData&>(data); }

VisionExtents extents_of(const ImageData& data) { return {data.patches(), data.patch_features(), data.classes()}; }

class ImagesBatch : public MicroBatch {
 public:
  ImagesBatch(const VisionTransformer& model, Dtype dtype, ImageBatch batch) : model_(model), batch_(std::move(batch)) {
    if (dtype != Dtype::f32) batch_.patches = batch_.patches.cast(dtype);
  }
  Index predicted() const override { return batch_.labels.size(); }
  CrossEntropy loss(const Pass& pass, double label_smoothing, double images) const override {
    const Tensor logits = model_.logits(batch_.patches, batch_.rows, pass);
    return cross_entropy(logits, batch_.labels, Rows::single(predicted()), label_smoothing, images);
  }

 private:
  const VisionTransformer& model_;
  ImageBatch batch_;
};

}  // namespace

Classification::Classification(const Init& init, const VisionTransformerConfig& config, const ImageData& data)
    : data_(data), dtype_(init.dtype), model_(init, config, extents_of(data)) {}

std::unique_ptr<MicroBatch> Classification::training_batch(std::uint64_t index) const {
  return std::make_unique<ImagesBatch>(model_, dtype_, data_.training_batch(index));
}

CrossEntropy Classification::evaluate(Split split, Index index, const Pass& pass) const {
  return ImagesBatch(model_, dtype_, data_.evaluation_batch(split, index)).loss(pass, 0, 0);
}

std::map<std::string, std::string> Classification::score_definitions() const {
  return {{"accuracy", "share of images whose own class has the largest logit"}};
}

std::unique_ptr<Task> VisionTransformerOptions::make(const Init& init, const Data& data) const {
  return std::make_unique<Classification>(init, config, images_of(data));
}

TrainingSize VisionTransformerOptions::training_size(const Data& data, Dtype dtype) const {
  const ImageData& images = images_of(data);
  return normlab::training_size(config, extents_of(images), images.images_per_batch(), dtype);
}

ModelCheck VisionTransformerOptions::check(double label_smoothing, std::uint64_t seed) const {
  return check_model(config, label_smoothing, seed);
}

}  // namespace normlab

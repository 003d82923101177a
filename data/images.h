// Image data: images, each of one class, as the model of a vision Transformer sees them: sequences of patches.
#pragma once

#include "data.h"

namespace normlab {

struct ImageBatch {
  Tensor patches;  // f32 [images * patches, patch features]
  Rows rows;       // each image is a sequence
  Tensor labels;   // i32 [images]
};

class ImageData : public Data {
 public:
  virtual Index classes() const = 0;
  virtual Index patches() const = 0;         // of an image
  virtual Index patch_features() const = 0;  // numbers of a patch
  virtual Index images_per_batch() const = 0;
  // Batch `index` counted from the start of training; epoch = index / batches_per_epoch(), each in an order of its own.
  virtual ImageBatch training_batch(std::uint64_t index) const = 0;
  // The batches of an evaluation: every image of the split once, in order.
  virtual ImageBatch evaluation_batch(Split split, Index index) const = 0;
};

// A kind of data that is images.
struct ImageDataOptions : DataOptions {
  Content content() const final { return Content::images; }
  std::unique_ptr<Data> load(const std::string& directory, std::uint64_t seed) const final {
    return load_images(directory, seed);
  }
  virtual std::unique_ptr<ImageData> load_images(const std::string& directory, std::uint64_t seed) const = 0;
};

}  // namespace normlab

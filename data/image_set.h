// Image sets: pixels and labels of three splits. ImageSetData makes them into the ImageData a trainer sees; images from
// files and made-up images differ only in where the sets come from.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "images.h"

namespace normlab {

class Random;

struct ImageShape {
  Index channels = 1;
  Index height = 0;
  Index width = 0;
  Index pixels() const { return channels * height * width; }
  bool operator==(const ImageShape&) const = default;
};
std::ostream& operator<<(std::ostream& out, const ImageShape& shape);  // "3 x 32 x 32"

struct ImageSet {
  ImageShape shape;
  std::vector<std::uint8_t> pixels;  // [images, channels, height, width], 0 to 255
  std::vector<std::int32_t> labels;  // [images]
  Index images() const { return static_cast<Index>(labels.size()); }
  void append(const ImageSet& other);  // of the same shape
  // The images [begin, end).
  ImageSet part(Index begin, Index end) const;
};

// How images become batches of patches.
struct PatchingOptions {
  std::int64_t patch = 4;
  std::int64_t images_per_batch = 64;
  std::int64_t shift = 0;
  bool flip = false;

  void fields(Fields& f);
};

// Pixels are normalized channel by channel by mean and deviation of the training images. An image is cut into squares,
// from left to right and from top to bottom; a patch holds its channels one after the other, each row by row, as the
// weights of a convolution do. An epoch takes the training images in an order drawn anew, in full batches; what is left
// over is left out. In training an image is moved by up to `shift` pixels either way, what comes in from outside being
// the mean, and mirrored left to right half of the time where `flip` is set.
class ImageSetData : public ImageData {
 public:
  // `origin` says in the summary what was read or made; there are at least `classes`, and no fewer than the training
  // images show. Error when the training images are fewer than one batch or all alike, when patches do not cut an image
  // evenly, or when splits differ in shape or in classes.
  ImageSetData(std::array<ImageSet, 3> splits, std::string origin, const PatchingOptions& options, std::uint64_t seed,
               Index classes = 0);

  Index classes() const override { return classes_; }
  Index patches() const override;
  Index patch_features() const override { return shape().channels * options_.patch * options_.patch; }
  Index images_per_batch() const override { return options_.images_per_batch; }
  Index batches_per_epoch() const override { return of(Split::train).images() / options_.images_per_batch; }
  ImageBatch training_batch(std::uint64_t index) const override;
  Index evaluation_batches(Split split) const override;
  ImageBatch evaluation_batch(Split split, Index index) const override;
  std::string fingerprint() const override;
  std::string summary() const override;

 private:
  const ImageSet& of(Split split) const { return splits_[static_cast<std::size_t>(split)]; }
  const ImageShape& shape() const { return of(Split::train).shape; }
  void measure_channels();
  std::vector<Index> images_of_batch(std::uint64_t index) const;
  // Of these images of the split; `random` moves and mirrors them, null leaves them as they are.
  ImageBatch pack(Split split, const std::vector<Index>& images, Random* random) const;
  void write_patches(const std::uint8_t* image, Index down, Index right, bool mirrored, float* out) const;

  std::array<ImageSet, 3> splits_;
  std::string origin_;
  PatchingOptions options_;
  std::uint64_t seed_;
  Index classes_ = 0;
  std::vector<std::array<float, 256>> normalized_;  // of each channel, each value that a pixel can have
  mutable std::mutex mutex_;
  mutable std::uint64_t epoch_ = 0;
  mutable std::vector<Index> order_;  // of epoch_; empty before the first call
};

}  // namespace normlab

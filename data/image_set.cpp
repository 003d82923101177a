// Image sets to batches: see the header.
#include "image_set.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <ostream>

#include "../engine/random.h"
#include "hash.h"

namespace normlab {

std::ostream& operator<<(std::ostream& out, const ImageShape& shape) {
  return out << shape.channels << " x " << shape.height << " x " << shape.width;
}

void ImageSet::append(const ImageSet& other) {
  pixels.insert(pixels.end(), other.pixels.begin(), other.pixels.end());
  labels.insert(labels.end(), other.labels.begin(), other.labels.end());
}

ImageSet ImageSet::part(Index begin, Index end) const {
  ImageSet part{shape, {}, {}};
  part.pixels.assign(pixels.begin() + begin * shape.pixels(), pixels.begin() + end * shape.pixels());
  part.labels.assign(labels.begin() + begin, labels.begin() + end);
  return part;
}

void PatchingOptions::fields(Fields& f) {
  f.integer("patch", patch, {.at_least = 1, .at_most = 4096},
            "side of a patch in pixels; divides height and width of the images");
  f.integer("images_per_batch", images_per_batch, {.at_least = 1, .at_most = 1e6}, "images of a batch");
  f.integer("shift", shift, {.at_least = 0, .at_most = 4096},
            "training images are moved by up to so many pixels, up or down and left or right");
  f.boolean("flip", flip, "training images are mirrored left to right half of the time");
}

ImageSetData::ImageSetData(std::array<ImageSet, 3> splits, std::string origin, const PatchingOptions& options,
                           std::uint64_t seed, Index classes)
    : splits_(std::move(splits)), origin_(std::move(origin)), options_(options), seed_(seed) {
  const ImageSet& train = of(Split::train);
  check(train.images() >= options.images_per_batch,
        "train images: must be at least one batch of images_per_batch = ", options.images_per_batch, ", are ",
        train.images());
  check(train.shape.height % options.patch == 0 && train.shape.width % options.patch == 0,
        "images: patch must divide their height and width, ", shape(), ", got ", options.patch);
  classes_ = std::max<Index>(classes, 1 + *std::max_element(train.labels.begin(), train.labels.end()));
  for (const Split split : {Split::valid, Split::test}) {
    const ImageSet& other = of(split);
    if (other.images() == 0) continue;
    check(other.shape == train.shape, name_of(split), " images: must be of the training images' shape, ", train.shape,
          ", are ", other.shape);
    const Index largest = *std::max_element(other.labels.begin(), other.labels.end());
    check(largest < classes_, name_of(split), " images: must be of the training images' classes, 0 to ", classes_ - 1,
          ", one is of class ", largest);
  }
  measure_channels();
}

// mean and variance of all training pixels of a channel, from exact sums.
void ImageSetData::measure_channels() {
  const ImageSet& train = of(Split::train);
  const Index area = shape().height * shape().width;
  for (Index channel = 0; channel < shape().channels; ++channel) {
    std::uint64_t sum = 0, squares = 0;
    for (Index image = 0; image < train.images(); ++image) {
      const std::uint8_t* pixel = train.pixels.data() + image * shape().pixels() + channel * area;
      for (Index i = 0; i < area; ++i) {
        sum += pixel[i];
        squares += static_cast<std::uint64_t>(pixel[i]) * pixel[i];
      }
    }
    const auto count = static_cast<double>(train.images() * area);
    const double mean = static_cast<double>(sum) / count;
    const double variance = static_cast<double>(squares) / count - mean * mean;
    check(variance > 1e-6, "train images: pixels of channel ", channel, " must differ, all are ", mean);
    auto& values = normalized_.emplace_back();
    for (std::size_t value = 0; value < values.size(); ++value) {
      values[value] = static_cast<float>((static_cast<double>(value) - mean) / std::sqrt(variance));
    }
  }
}

Index ImageSetData::patches() const { return shape().height * shape().width / (options_.patch * options_.patch); }

// One image, moved by so many pixels, then mirrored. A pixel from outside is 0, the mean.
void ImageSetData::write_patches(const std::uint8_t* image, Index down, Index right, bool mirrored, float* out) const {
  const auto [channels, height, width] = shape();
  for (Index top = 0; top < height; top += options_.patch) {
    for (Index left = 0; left < width; left += options_.patch) {
      for (Index channel = 0; channel < channels; ++channel) {
        const auto& values = normalized_[static_cast<std::size_t>(channel)];
        for (Index y = top - down; y < top - down + options_.patch; ++y) {
          for (Index i = left; i < left + options_.patch; ++i) {
            const Index x = (mirrored ? width - 1 - i : i) - right;
            const bool inside = y >= 0 && y < height && x >= 0 && x < width;
            *out++ = inside ? values[image[(channel * height + y) * width + x]] : 0;
          }
        }
      }
    }
  }
}

ImageBatch ImageSetData::pack(Split split, const std::vector<Index>& images, Random* random) const {
  const auto count = static_cast<Index>(images.size());
  ImageBatch batch{Tensor::empty({count * patches(), patch_features()}, Dtype::f32), Rows::equal(count, patches()),
                   Tensor::empty({count}, Dtype::i32)};
  float* out = batch.patches.data<float>();
  std::int32_t* label = batch.labels.data<std::int32_t>();
  const auto moved = [&] {
    return random && options_.shift > 0 ? random->below(2 * options_.shift + 1) - options_.shift : 0;
  };
  for (const Index image : images) {
    const Index down = moved(), right = moved();
    const bool mirrored = random && options_.flip && random->below(2) == 1;
    write_patches(of(split).pixels.data() + image * shape().pixels(), down, right, mirrored, out);
    out += shape().pixels();
    *label++ = of(split).labels[static_cast<std::size_t>(image)];
  }
  return batch;
}

std::vector<Index> ImageSetData::images_of_batch(std::uint64_t index) const {
  const auto per_epoch = static_cast<std::uint64_t>(batches_per_epoch());
  const std::lock_guard lock(mutex_);
  if (order_.empty() || epoch_ != index / per_epoch) {
    epoch_ = index / per_epoch;
    order_.resize(of(Split::train).labels.size());
    std::iota(order_.begin(), order_.end(), Index{0});
    Random(seed_, text("data.order.", epoch_)).shuffle(std::span<Index>(order_));
  }
  const auto first = order_.begin() + static_cast<Index>(index % per_epoch) * options_.images_per_batch;
  return {first, first + options_.images_per_batch};
}

ImageBatch ImageSetData::training_batch(std::uint64_t index) const {
  Random random(random_stream(seed_, "data.augmentation", index));
  return pack(Split::train, images_of_batch(index), &random);
}

Index ImageSetData::evaluation_batches(Split split) const {
  return (of(split).images() + options_.images_per_batch - 1) / options_.images_per_batch;
}

ImageBatch ImageSetData::evaluation_batch(Split split, Index index) const {
  check(index >= 0 && index < evaluation_batches(split), "evaluation batch: index must be in [0, ",
        evaluation_batches(split), "), got ", index);
  const Index begin = index * options_.images_per_batch;
  std::vector<Index> images(static_cast<std::size_t>(std::min(options_.images_per_batch, of(split).images() - begin)));
  std::iota(images.begin(), images.end(), begin);
  return pack(split, images, nullptr);
}

std::string ImageSetData::fingerprint() const {
  Hash hash;
  for (const ImageSet& set : splits_) hash.add(text(set.shape)).add(set.pixels).add(set.labels);
  return hash.text();
}

std::string ImageSetData::summary() const {
  std::string images;
  for (const Split split : kSplits) {
    if (of(split).images() > 0) images += text(images.empty() ? "" : ", ", name_of(split), " ", of(split).images());
  }
  return text(origin_, ": images ", images, "; ", shape(), " pixels, ", classes_, " classes, ", patches(),
              " patches of ", patch_features(), " numbers");
}

}  // namespace normlab

// Batches of patches: each pixel where it belongs, normalized; orders, shifts and mirror images as functions of the
// batch's number.
#include "data/image_set.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

#include "engine/random.h"
#include "tests/data/files.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"

using namespace normlab;

namespace {

constexpr ImageShape kShape{2, 4, 6};

// Image i has the label i modulo 3 and random pixels, those of the second channel darker.
ImageSet random_images(Index count, const char* name) {
  ImageSet set{kShape, {}, {}};
  Random random(7, name);
  for (Index i = 0; i < count * kShape.pixels(); ++i) {
    const bool second = i / 24 % 2 == 1;
    set.pixels.push_back(static_cast<std::uint8_t>(random.below(second ? 50 : 256)));
  }
  for (Index i = 0; i < count; ++i) set.labels.push_back(static_cast<std::int32_t>(i % 3));
  return set;
}

ImageSetData data_of(const PatchingOptions& options, std::uint64_t seed = 1) {
  return ImageSetData({random_images(10, "train"), random_images(5, "valid"), {}}, "made up", options, seed);
}

// Mean and deviation of a channel of the training images by the plain formula.
std::pair<double, double> moments(Index channel) {
  const ImageSet set = random_images(10, "train");
  double sum = 0, squares = 0;
  for (Index image = 0; image < 10; ++image) {
    for (Index i = 0; i < 24; ++i) sum += set.pixels[static_cast<std::size_t>(image * 48 + channel * 24 + i)];
  }
  for (Index image = 0; image < 10; ++image) {
    for (Index i = 0; i < 24; ++i) {
      const double off = set.pixels[static_cast<std::size_t>(image * 48 + channel * 24 + i)] - sum / 240;
      squares += off * off;
    }
  }
  return {sum / 240, std::sqrt(squares / 240)};
}

}  // namespace

TEST_CASE("a patch holds its channels one after the other, row by row, normalized by the training images") {
  const ImageSetData data = data_of({.patch = 2, .images_per_batch = 2});
  const ImageSet valid = random_images(5, "valid");
  CHECK(data.patches() == 6);
  CHECK(data.patch_features() == 8);
  CHECK(data.classes() == 3);
  REQUIRE(data.evaluation_batches(Split::valid) == 3);
  CHECK(data.evaluation_batches(Split::test) == 0);
  for (Index image = 0; image < 5; ++image) {
    const ImageBatch batch = data.evaluation_batch(Split::valid, image / 2);
    CHECK(batch.rows.sequences() == (image / 2 == 2 ? 1 : 2));
    CHECK(batch.labels.at(image % 2) == static_cast<double>(image % 3));
    for (Index patch = 0; patch < 6; ++patch) {
      for (Index feature = 0; feature < 8; ++feature) {
        const Index channel = feature / 4, y = patch / 3 * 2 + feature / 2 % 2, x = patch % 3 * 2 + feature % 2;
        const auto [mean, deviation] = moments(channel);
        const double pixel = valid.pixels[static_cast<std::size_t>(image * 48 + channel * 24 + y * 6 + x)];
        const Index row = batch.rows.begin(image % 2) + patch;
        CHECK(batch.patches.at(row * 8 + feature) == Approx((pixel - mean) / deviation).epsilon(1e-5));
      }
    }
  }
}

TEST_CASE("an epoch takes each training image at most once, in an order of its own, whatever was asked before") {
  const ImageSetData data = data_of({.patch = 2, .images_per_batch = 3}),
                     again = data_of({.patch = 2, .images_per_batch = 3});
  CHECK(data.batches_per_epoch() == 3);
  const auto images_of = [](const ImageBatch& batch) {
    std::vector<std::vector<float>> images;
    const auto values = batch.patches.values<float>();
    for (std::size_t at = 0; at < values.size(); at += 48) {
      const auto image = values.subspan(at, 48);
      images.emplace_back(image.begin(), image.end());
    }
    return images;
  };
  std::vector<std::vector<float>> first, second;
  for (std::uint64_t i = 0; i < 6; ++i) {
    for (auto& image : images_of(data.training_batch(i))) (i < 3 ? first : second).push_back(image);
  }
  CHECK(first != second);
  CHECK(std::set(first.begin(), first.end()).size() == 9);
  CHECK(same_bits(again.training_batch(5).patches, data.training_batch(5).patches));
  CHECK(same_bits(again.training_batch(0).patches, data.training_batch(0).patches));
  const ImageSetData other = data_of({.patch = 2, .images_per_batch = 3}, 2);
  CHECK_FALSE(same_bits(other.training_batch(0).patches, data.training_batch(0).patches));
}

TEST_CASE("training images are moved and mirrored, evaluated ones are not") {
  // With one image of one patch a batch is the image, row by row.
  ImageSet one{{1, 4, 4}, {}, {0}};
  for (int i = 0; i < 16; ++i) one.pixels.push_back(static_cast<std::uint8_t>(10 * i));
  const ImageSetData plain({one, one, {}}, "", {.patch = 4, .images_per_batch = 1}, 1);
  const ImageSetData data({one, one, {}}, "", {.patch = 4, .images_per_batch = 1, .shift = 1, .flip = true}, 1);
  const Tensor as_it_is = plain.training_batch(0).patches;
  CHECK(same_bits(data.evaluation_batch(Split::valid, 0).patches, as_it_is));
  // Every outcome is one of 3 x 3 places, mirrored or not, and all of them come.
  std::set<std::vector<float>> expected, seen;
  for (Index down = -1; down <= 1; ++down) {
    for (Index right = -1; right <= 1; ++right) {
      for (const bool mirrored : {false, true}) {
        std::vector<float> image;
        for (Index y = 0; y < 4; ++y) {
          for (Index x = 0; x < 4; ++x) {
            const Index from_y = y - down, from_x = (mirrored ? 3 - x : x) - right;
            const bool inside = from_y >= 0 && from_y < 4 && from_x >= 0 && from_x < 4;
            image.push_back(inside ? static_cast<float>(as_it_is.at(from_y * 4 + from_x)) : 0);
          }
        }
        expected.insert(image);
      }
    }
  }
  for (std::uint64_t i = 0; i < 400; ++i) {
    const Tensor patches = data.training_batch(i).patches;
    const auto values = patches.values<float>();
    seen.emplace(values.begin(), values.end());
  }
  CHECK(expected.size() == 18);
  CHECK(seen == expected);
}

TEST_CASE("image sets that cannot be used are errors") {
  const ImageSet train = random_images(10, "train");
  const auto message = [&](std::array<ImageSet, 3> splits, const PatchingOptions& options) {
    return message_of([&] { ImageSetData(std::move(splits), "", options, 1); });
  };
  CHECK(message({train, {}, {}}, {.patch = 2, .images_per_batch = 11}) ==
        "train images: must be at least one batch of images_per_batch = 11, are 10");
  CHECK(message({train, {}, {}}, {.patch = 4, .images_per_batch = 1}) ==
        "images: patch must divide their height and width, 2 x 4 x 6, got 4");
  ImageSet grey = train;
  std::fill(grey.pixels.begin(), grey.pixels.end(), std::uint8_t{9});
  CHECK_THAT(message({grey, {}, {}}, {.patch = 2, .images_per_batch = 1}), ContainsSubstring("channel 0 must differ"));
  ImageSet flat = random_images(5, "valid");
  flat.shape = {1, 8, 6};
  CHECK_THAT(message({train, flat, {}}, {.patch = 2, .images_per_batch = 1}),
             ContainsSubstring("valid images: must be of the training images' shape, 2 x 4 x 6, are 1 x 8 x 6"));
}

TEST_CASE("the fingerprint tells images and labels apart") {
  const PatchingOptions options{.patch = 2, .images_per_batch = 2};
  std::array<ImageSet, 3> sets = {random_images(10, "train"), random_images(5, "valid"), random_images(5, "test")};
  const auto print = [&] { return ImageSetData({sets[0], sets[1], sets[2]}, "", options, 1).fingerprint(); };
  const std::string whole = print();
  for (ImageSet& set : sets) {
    set.pixels[17] ^= 1;
    CHECK(print() != whole);
    set.pixels[17] ^= 1;
    CHECK(print() == whole);
    std::swap(set.labels[3], set.labels[4]);
    CHECK(print() != whole);
    std::swap(set.labels[3], set.labels[4]);
  }
}

// The made-up images: what they promise, and that a linear map of the pixels does not tell the marks apart.
#include "data/synthetic_images.h"

#include <algorithm>
#include <cmath>

#include "engine/ops/loss.h"
#include "engine/ops/product.h"
#include "engine/tape.h"
#include "tests/data/files.h"
#include "tests/support/catch.h"

using namespace normlab;

namespace {

// Accuracy on the validation images of softmax regression, trained by plain gradient descent.
double accuracy_of_linear_map(const ImageData& data) {
  const Index features = data.patches() * data.patch_features();
  const auto pixels = [&](const ImageBatch& batch) { return batch.patches.reshape({batch.labels.size(), features}); };
  Tensor weight = Tensor::zeros({data.classes(), features}, Dtype::f32).require_gradient();
  for (std::uint64_t step = 0; step < 400; ++step) {
    const ImageBatch batch = data.training_batch(step);
    Tape tape;
    tape.backward(cross_entropy(linear(pixels(batch), weight), batch.labels, Rows::single(batch.labels.size())).loss);
    for (Index i = 0; i < weight.size(); ++i) weight.set(i, weight.at(i) - 0.05 * weight.gradient().at(i));
    weight.gradient().fill(0);
  }
  Index correct = 0, images = 0;
  for (Index i = 0; i < data.evaluation_batches(Split::valid); ++i) {
    const ImageBatch batch = data.evaluation_batch(Split::valid, i);
    const Rows rows = Rows::single(batch.labels.size());
    correct += cross_entropy(linear(pixels(batch), weight.detach()), batch.labels, rows).correct;
    images += rows.tokens();
  }
  return static_cast<double>(correct) / static_cast<double>(images);
}

}  // namespace

TEST_CASE("made-up images: a function of the seed, of the sizes asked for, every class in each split") {
  SyntheticImageOptions options;
  const auto splits = make_images(options, 3);
  const std::array<Index, 3> sizes = {2000, 400, 400};
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(splits[i].images() == sizes[i]);
    CHECK(splits[i].shape == ImageShape{1, 16, 16});
    for (std::int32_t label = 0; label < 4; ++label) {
      const auto count = std::count(splits[i].labels.begin(), splits[i].labels.end(), label);
      CHECK(static_cast<double>(count) == Approx(static_cast<double>(sizes[i]) / 4).epsilon(0.25));
    }
  }
  CHECK(make_images(options, 3)[0].pixels == splits[0].pixels);
  CHECK(make_images(options, 4)[0].pixels != splits[0].pixels);
  CHECK(splits[0].part(0, 400).pixels != splits[1].pixels);
}

TEST_CASE("without noise an image is grey but for its mark or the mark's negative") {
  SyntheticImageOptions options;
  options.noise = 0;
  const ImageSet set = make_images(options, 1)[1];
  for (Index image = 0; image < set.images(); ++image) {
    const auto begin = set.pixels.begin() + image * 256, end = begin + 256;
    CHECK(std::count(begin, end, 128) == 256 - 16);
    CHECK(std::count(begin, end, 64) + std::count(begin, end, 192) == 16);
  }
}

TEST_CASE("a linear map of the pixels does little better than chance on made-up images") {
  SyntheticImageOptions options;
  const auto data = options.load_images("", 1);
  const double accuracy = accuracy_of_linear_map(*data);
  INFO(accuracy);
  CHECK(accuracy < 0.4);  // chance is 0.25
  // Where all marks stand at one place it tells those apart that are no negatives.
  options.noise = 0;
  options.side = 4;
  options.patching.patch = 4;
  const auto one_place = options.load_images("", 1);
  CHECK(accuracy_of_linear_map(*one_place) > 0.4);
}

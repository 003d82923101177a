// The data kind "synthetic_images": made-up images from a seed, each showing one of several marks. Which one?
//
// A mark is a square of black and white pixels drawn at random, one mark for each class. An image is grey, with one
// mark at a place drawn at random, half of the time as its negative, under noise.
//
// What each kind of model can and cannot do:
//   linear map of the pixels   little more than chance (0.32 for 0.25): over places and negatives the images of every
//                              class have the same mean, grey, and what counts for a class in one image counts
//                              against it in the negative.
//   bag of single patches      the less, the more patches a mark is spread over: up to four where patch and mark are
//                              of one size, but for marks at multiples of it.
//   vision Transformer         can: attention brings the parts together, the networks between tell a part from its
//                              negative.
#pragma once

#include "image_set.h"

namespace normlab {

struct SyntheticImageOptions : ImageDataOptions {
  std::int64_t train_images = 2000;
  std::int64_t valid_images = 400;
  std::int64_t test_images = 400;
  std::int64_t image_seed = 0;
  std::int64_t classes = 4;
  std::int64_t side = 16;
  std::int64_t mark = 4;
  std::int64_t step = 2;
  double noise = 0.2;
  PatchingOptions patching;

  void fields(Fields& f) override;
  std::unique_ptr<ImageData> load_images(const std::string& directory, std::uint64_t seed) const override;
};

// The images alone, of three splits.
std::array<ImageSet, 3> make_images(const SyntheticImageOptions& options, std::uint64_t seed);

}  // namespace normlab

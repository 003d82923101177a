// The generator of images.
#include "synthetic_images.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "../engine/random.h"

namespace normlab {
namespace {

using Mark = std::vector<int>;  // -1 or 1, row by row

// No mark is another one or its negative.
std::vector<Mark> draw_marks(const SyntheticImageOptions& options, std::uint64_t seed) {
  Random random(seed, "data.marks");
  std::set<Mark> taken;
  std::vector<Mark> marks;
  while (static_cast<Index>(marks.size()) < options.classes) {
    Mark mark(static_cast<std::size_t>(options.mark * options.mark)), negative = mark;
    for (std::size_t i = 0; i < mark.size(); ++i) {
      mark[i] = random.below(2) == 0 ? -1 : 1;
      negative[i] = -mark[i];
    }
    if (!taken.insert(mark).second) continue;
    taken.insert(std::move(negative));
    marks.push_back(std::move(mark));
  }
  return marks;
}

// Grey is 128, the pixels of a mark are 64 away from it; noise is in such steps of 64.
void draw_image(const SyntheticImageOptions& options, const std::vector<Mark>& marks, Random& random, ImageSet& set) {
  const Index label = random.below(options.classes);
  const Index places = (options.side - options.mark) / options.step + 1;
  const Index top = random.below(places) * options.step, left = random.below(places) * options.step;
  const int sign = random.below(2) == 0 ? -1 : 1;
  for (Index y = 0; y < options.side; ++y) {
    for (Index x = 0; x < options.side; ++x) {
      const Index row = y - top, column = x - left;
      const bool inside = row >= 0 && row < options.mark && column >= 0 && column < options.mark;
      const int ink =
          inside ? sign * marks[static_cast<std::size_t>(label)][static_cast<std::size_t>(row * options.mark + column)]
                 : 0;
      const double value = 128 + 64 * (ink + options.noise * random.normal());
      set.pixels.push_back(static_cast<std::uint8_t>(std::clamp(std::round(value), 0.0, 255.0)));
    }
  }
  set.labels.push_back(static_cast<std::int32_t>(label));
}

}  // namespace

void SyntheticImageOptions::fields(Fields& f) {
  const Range count{.at_least = 0, .at_most = 1e7};
  f.integer("train_images", train_images, {.at_least = 1, .at_most = 1e7}, "training images");
  f.integer("valid_images", valid_images, count, "validation images; 0 for none");
  f.integer("test_images", test_images, count, "test images; 0 for none");
  f.integer("image_seed", image_seed, {.at_least = 0, .at_most = 9e15},
            "seed of the marks and the images; 0 takes the data's seed, so that other seeds give other images");
  f.integer("classes", classes, {.at_least = 2, .at_most = 1000}, "marks, and so classes");
  f.integer("side", side, {.at_least = 1, .at_most = 256}, "height and width of an image in pixels");
  f.integer("mark", mark, {.at_least = 4, .at_most = 256}, "height and width of a mark");
  f.integer("step", step, {.at_least = 1, .at_most = 256}, "marks stand at multiples of so many pixels");
  f.real("noise", noise, {.at_least = 0, .at_most = 10}, "deviation of the noise, where a mark's pixels are -1 and 1");
  patching.fields(f);
  f.require(mark <= side, "mark", text("must be at most side ", side, ", got ", mark));
  f.require(patching.patch < 1 || side % patching.patch == 0, "patch",
            text("must divide side ", side, ", got ", patching.patch));
}

std::array<ImageSet, 3> make_images(const SyntheticImageOptions& options, std::uint64_t seed) {
  const std::vector<Mark> marks = draw_marks(options, seed);
  const std::array<Index, 3> sizes = {options.train_images, options.valid_images, options.test_images};
  std::array<ImageSet, 3> splits;
  for (const Split split : kSplits) {
    const auto i = static_cast<std::size_t>(split);
    splits[i].shape = {1, options.side, options.side};
    Random random(seed, text("data.images.", name_of(split)));
    for (Index image = 0; image < sizes[i]; ++image) draw_image(options, marks, random, splits[i]);
  }
  return splits;
}

std::unique_ptr<ImageData> SyntheticImageOptions::load_images(const std::string& /*directory*/,
                                                              std::uint64_t seed) const {
  const std::uint64_t made_from = image_seed > 0 ? static_cast<std::uint64_t>(image_seed) : seed;
  return std::make_unique<ImageSetData>(make_images(*this, made_from), text("made-up images of seed ", made_from),
                                        patching, seed, classes);
}

}  // namespace normlab

// Files of images: see the header.
#include "image_files.h"

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "text_file.h"

namespace normlab {
namespace {

constexpr char kFetchMnist[] = "; fetch it again, MNIST by ./normlab data mnist";
constexpr char kFetchCifar[] = "; fetch it again, CIFAR-10 by ./normlab data cifar10";

// The big-endian number in the four bytes from `at` on.
Index number_at(std::string_view bytes, std::size_t at) {
  Index number = 0;
  for (std::size_t i = at; i < at + 4; ++i) number = number << 8 | static_cast<unsigned char>(bytes[i]);
  return number;
}

// The content of an IDX file of as many dimensions as `names` names; its numbers follow the header of magic and
// dimensions. `what` is "images" or "labels".
struct Idx {
  std::string content;
  std::vector<Index> dimensions;
  std::string_view values() const { return std::string_view(content).substr(4 + 4 * dimensions.size()); }
};

Idx read_idx_file(const std::string& path, const char* what, std::size_t dimensions) {
  Idx idx{read_content(path, "image file"), {}};
  const std::size_t header = 4 + 4 * dimensions, size = idx.content.size();
  const auto magic = static_cast<Index>(0x800 + dimensions);  // 8: unsigned bytes
  check(size >= header, "image file ", path, ": IDX ", what, " must begin with a header of ", header, " bytes, has ",
        size, " bytes in all", kFetchMnist);
  check(number_at(idx.content, 0) == magic, "image file ", path, ": IDX ", what, " must begin with the number ", magic,
        ", begins with ", number_at(idx.content, 0), "; 2051 are images, 2049 labels: name another file");
  Index values = 1;
  for (std::size_t i = 0; i < dimensions; ++i) {
    const Index extent = idx.dimensions.emplace_back(number_at(idx.content, 4 + 4 * i));
    check(extent > 0 && extent <= (i == 0 ? Index{1} << 28 : 4096), "image file ", path, ": IDX ", what,
          " must have at least one and at most 2^28 items, of at most 4096 x 4096 pixels; dimension ", i, " is ",
          extent, kFetchMnist);
    values *= extent;
  }
  check(static_cast<Index>(size - header) == values, "image file ", path, ": IDX ", what, " must have the ", values,
        " bytes after the header that it announces, has ", size - header, kFetchMnist);
  return idx;
}

}  // namespace

ImageSet read_idx(const std::string& images, const std::string& labels) {
  const Idx pixels = read_idx_file(images, "images", 3), classes = read_idx_file(labels, "labels", 1);
  check(pixels.dimensions[0] == classes.dimensions[0], "image files ", images, " and ", labels,
        ": must hold a label for each image, hold ", pixels.dimensions[0], " images and ", classes.dimensions[0],
        " labels; name files that belong together");
  ImageSet set{{1, pixels.dimensions[1], pixels.dimensions[2]}, {}, {}};
  set.pixels.assign(pixels.values().begin(), pixels.values().end());
  for (const char label : classes.values()) set.labels.push_back(static_cast<unsigned char>(label));
  return set;
}

ImageSet read_cifar10(const std::string& path) {
  constexpr std::size_t kImage = 3 * 32 * 32;
  const std::string content = read_content(path, "image file");
  check(!content.empty() && content.size() % (1 + kImage) == 0, "image file ", path,
        ": CIFAR-10 images must be 3073 bytes each, the file's ", content.size(), " bytes are no multiple of that",
        kFetchCifar);
  ImageSet set{{3, 32, 32}, {}, {}};
  set.pixels.reserve(content.size());
  for (std::size_t at = 0; at < content.size(); at += 1 + kImage) {
    const int label = static_cast<unsigned char>(content[at]);
    check(label < 10, "image file ", path, ": CIFAR-10 labels must be 0 to 9, image ", at / (1 + kImage), " has ",
          label, kFetchCifar);
    set.labels.push_back(label);
    set.pixels.insert(set.pixels.end(), content.begin() + static_cast<std::ptrdiff_t>(at + 1),
                      content.begin() + static_cast<std::ptrdiff_t>(at + 1 + kImage));
  }
  return set;
}

void ImageFileOptions::fields(Fields& f) {
  f.choice("format", format, {"idx", "cifar10"}, "MNIST's, or that of CIFAR-10's binary version");
  f.string("folder", folder, "folder of the files, in the data directory");
  f.strings("train", train, "files of the training images, plain or gzip, read one after the other");
  f.strings("train_labels", train_labels, "idx: the files of their labels, in the same order");
  f.strings("test", test, "files of the test images; none for no test");
  f.strings("test_labels", test_labels, "idx: the files of their labels");
  const Range count{.at_least = 0, .at_most = 1e9};
  f.integer("train_images", train_images, count, "the first so many training images alone; 0 for all");
  f.integer("valid_images", valid_images, count,
            "so many from the end of the training files are for validation, none of them for training");
  f.integer("test_images", test_images, count, "the first so many test images alone; 0 for all");
  patching.fields(f);
  f.require(!train.empty(), "train", "must name the files of the training images");
  const auto require_labels = [&](const char* name, const auto& images, const auto& labels) {
    const std::size_t wanted = format == "idx" ? images.size() : 0;
    f.require(labels.size() == wanted, name,
              text("must name ", wanted, " files, ",
                   format == "idx" ? "one for each of images" : "labels are with the images", ", got ", labels.size()));
  };
  require_labels("train_labels", train, train_labels);
  require_labels("test_labels", test, test_labels);
}

std::unique_ptr<ImageData> ImageFileOptions::load_images(const std::string& directory, std::uint64_t seed) const {
  const std::string where = (std::filesystem::path(directory) / folder).string();
  const auto read = [&](const std::vector<std::string>& files, const std::vector<std::string>& labels) {
    ImageSet all;
    for (std::size_t i = 0; i < files.size(); ++i) {
      const std::string path = locate_text(where, files[i]);
      ImageSet set = format == "idx" ? read_idx(path, locate_text(where, labels[i])) : read_cifar10(path);
      check(i == 0 || set.shape == all.shape, "image file ", path, ": images must be of the shape of those before, ",
            all.shape, ", are ", set.shape);
      if (i == 0) {
        all = std::move(set);
      } else {
        all.append(set);
      }
    }
    return all;
  };
  const ImageSet known = read(train, train_labels);
  const Index rest = known.images() - valid_images;
  check(rest >= std::max<Index>(train_images, 1), "images in ", where,
        ": must be at least one to train on, or train_images = ", train_images,
        ", beside valid_images = ", valid_images, ", are ", known.images());
  ImageSet tested = read(test, test_labels);
  check(test_images <= tested.images(), "images in ", where, ": must be at least test_images = ", test_images,
        " to test with, are ", tested.images());
  if (test_images > 0) tested = tested.part(0, test_images);
  return std::make_unique<ImageSetData>(std::array{known.part(0, train_images > 0 ? train_images : rest),
                                                   known.part(rest, known.images()), std::move(tested)},
                                        where, patching, seed, format == "cifar10" ? 10 : 0);
}

}  // namespace normlab

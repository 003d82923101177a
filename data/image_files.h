// Files of images: MNIST's form (IDX) and that of CIFAR-10's binary version, plain or gzip; and the data kind "images",
// which reads them.
#pragma once

#include <string>
#include <vector>

#include "image_set.h"

namespace normlab {

// IDX (LeCun, yann.lecun.com/exdb/mnist), numbers big-endian in 4 bytes each. Images: 2051, count, height, width, then
// a byte a pixel. Labels: 2049, count, then a byte a label. Error that names the file when one is something else, cut
// short or too long, or when they differ in count.
ImageSet read_idx(const std::string& images, const std::string& labels);

// CIFAR-10's binary version: 3073 bytes an image, a label from 0 to 9, then 32 x 32 red, green and blue bytes, each row
// by row. Error that names the file when its length or a label says that it is something else.
ImageSet read_cifar10(const std::string& path);

struct ImageFileOptions : ImageDataOptions {
  std::string format = "idx";
  std::string folder;  // of the files, relative to the data directory
  std::vector<std::string> train, train_labels, test, test_labels;
  std::int64_t train_images = 0;
  std::int64_t valid_images = 0;
  std::int64_t test_images = 0;
  PatchingOptions patching;

  void fields(Fields& f) override;
  // Error, naming the file: see above, text_file.h and image_set.h.
  std::unique_ptr<ImageData> load_images(const std::string& directory, std::uint64_t seed) const override;
};

}  // namespace normlab

// Reading files of images, and what is said of files that are something else.
#include "data/image_files.h"

#include <cstdlib>
#include <filesystem>

#include "data/text_file.h"
#include "tests/data/files.h"
#include "tests/support/catch.h"

using namespace normlab;

namespace {

std::string big_endian(std::uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
  return bytes;
}

std::string idx_images(std::uint32_t count, std::uint32_t height, std::uint32_t width) {
  std::string file = big_endian(2051) + big_endian(count) + big_endian(height) + big_endian(width);
  for (std::uint32_t i = 0; i < count * height * width; ++i) file += static_cast<char>(7 * i);
  return file;
}

std::string idx_labels(const std::string& labels) {
  return big_endian(2049) + big_endian(static_cast<std::uint32_t>(labels.size())) + labels;
}

std::string cifar_image(char label, char value) { return label + std::string(3072, value); }

}  // namespace

TEST_CASE("IDX images and labels, plain and gzip") {
  const TemporaryFolder folder;
  const std::string images = folder.write_gzip("images.gz", idx_images(3, 2, 4));
  const std::string labels = folder.write("labels", idx_labels({2, 0, 9}));
  const ImageSet set = read_idx(images, labels);
  CHECK(set.images() == 3);
  CHECK(set.shape == ImageShape{1, 2, 4});
  CHECK(set.labels == std::vector<std::int32_t>{2, 0, 9});
  REQUIRE(set.pixels.size() == 24);
  for (std::size_t i = 0; i < 24; ++i) CHECK(set.pixels[i] == 7 * i % 256);
}

TEST_CASE("IDX files that are something else, cut or too long are errors that name them") {
  const TemporaryFolder folder;
  const std::string images = folder.write("images", idx_images(3, 2, 4));
  const std::string labels = folder.write("labels", idx_labels({2, 0, 9}));
  CHECK(message_of([&] { read_idx(labels, labels); }) ==
        "image file " + labels + ": IDX images must begin with a header of 16 bytes, has 11 bytes in all; fetch it " +
            "again, MNIST by ./normlab data mnist");
  CHECK(message_of([&] { read_idx(images, images); }) ==
        "image file " + images + ": IDX labels must begin with the number 2049, begins with 2051; 2051 are images, " +
            "2049 labels: name another file");
  const std::string cut = folder.write("cut", idx_images(3, 2, 4).substr(0, 39));
  CHECK_THAT(message_of([&] { read_idx(cut, labels); }),
             ContainsSubstring(cut + ": IDX images must have the 24 bytes after the header that it announces, has 23"));
  const std::string longer = folder.write("longer", idx_labels({2, 0, 9}) + "x");
  CHECK_THAT(message_of([&] { read_idx(images, longer); }), ContainsSubstring(longer + ": IDX labels must have the 3"));
  const std::string two = folder.write("two", idx_labels({2, 0}));
  CHECK_THAT(message_of([&] { read_idx(images, two); }),
             ContainsSubstring("must hold a label for each image, hold 3 images and 2 labels"));
  const std::string huge = folder.write("huge", big_endian(2051) + big_endian(~0u) + big_endian(~0u) + big_endian(~0u));
  CHECK_THAT(message_of([&] { read_idx(huge, labels); }), ContainsSubstring("dimension 0 is 4294967295"));
  const std::string none = folder.write("none", idx_images(0, 2, 4));
  CHECK_THAT(message_of([&] { read_idx(none, labels); }), ContainsSubstring("dimension 0 is 0"));
  CHECK_THROWS_AS(read_idx((folder / "absent").string(), labels), MissingText);
  const std::string packed = folder.write_gzip("packed", idx_images(3, 2, 4));
  const std::string torn = folder.write("torn", bytes_of_file(packed).substr(0, 20));
  CHECK_THAT(message_of([&] { read_idx(torn, labels); }),
             ContainsSubstring("image file " + torn + ": must be a whole gzip file"));
}

TEST_CASE("CIFAR-10 images, and files that are something else") {
  const TemporaryFolder folder;
  const ImageSet set = read_cifar10(folder.write("two.bin", cifar_image(3, 'a') + cifar_image(9, '\xFF')));
  CHECK(set.shape == ImageShape{3, 32, 32});
  CHECK(set.labels == std::vector<std::int32_t>{3, 9});
  CHECK(set.pixels.size() == 6144);
  CHECK(set.pixels[3071] == 'a');
  CHECK(set.pixels[3072] == 255);
  const std::string cut = folder.write("cut.bin", cifar_image(3, 'a').substr(1));
  CHECK(message_of([&] { read_cifar10(cut); }) ==
        "image file " + cut + ": CIFAR-10 images must be 3073 bytes each, the file's 3072 bytes are no multiple of " +
            "that; fetch it again, CIFAR-10 by ./normlab data cifar10");
  const std::string other = folder.write("other.bin", cifar_image(3, 'a') + cifar_image(10, 'a'));
  CHECK_THAT(message_of([&] { read_cifar10(other); }), ContainsSubstring("labels must be 0 to 9, image 1 has 10"));
  CHECK_THAT(message_of([&] { read_cifar10(folder.write("empty.bin", "")); }), ContainsSubstring("file's 0 bytes"));
}

TEST_CASE("images from files: validation comes from the end of the training files, sizes can be less") {
  const TemporaryFolder folder;
  ImageFileOptions options;
  options.format = "cifar10";
  options.folder = folder.path();
  std::string train;
  for (char i = 0; i < 6; ++i) train += cifar_image(i, i);
  folder.write("a.bin", train);
  folder.write("b.bin", cifar_image(9, 100) + cifar_image(8, 101));
  folder.write("t.bin", cifar_image(1, 50) + cifar_image(2, 60));
  options.train = {"a.bin", "b.bin"};
  options.test = {"t.bin"};
  options.patching = {.patch = 16, .images_per_batch = 4};
  options.valid_images = 2;
  options.train_images = 5;
  options.test_images = 1;
  CHECK(options.load_images("", 1)->classes() == 10);  // the format's, whichever are there
  options.valid_images = 1;
  options.train_images = 0;
  const auto data = options.load_images("", 1);
  CHECK(data->classes() == 10);
  CHECK(data->patches() == 4);
  CHECK(data->batches_per_epoch() == 1);
  CHECK(data->evaluation_batch(Split::valid, 0).labels.at(0) == 8);
  CHECK(data->evaluation_batch(Split::test, 0).labels.size() == 1);
  CHECK_THAT(data->summary(), ContainsSubstring("train 7, valid 1, test 1; 3 x 32 x 32 pixels, 10 classes, 4 patches"));
  options.valid_images = 8;
  CHECK_THAT(message_of([&] { options.load_images("", 1); }), ContainsSubstring("beside valid_images = 8, are 8"));
  options.valid_images = 1;
  options.patching.patch = 5;
  CHECK_THAT(message_of([&] { options.load_images("", 1); }),
             ContainsSubstring("patch must divide their height and width, 3 x 32 x 32, got 5"));
}

TEST_CASE("MNIST and the part of CIFAR-10 read as they are, where they are") {
  const char* directory = std::getenv("NORMLAB_DATA");
  if (!directory || !std::filesystem::exists(std::filesystem::path(directory) / "mnist")) return;
  const std::string mnist = std::string(directory) + "/mnist/";
  const ImageSet test = read_idx(mnist + "t10k-images-idx3-ubyte.gz", mnist + "t10k-labels-idx1-ubyte.gz");
  CHECK(test.images() == 10000);
  CHECK(test.shape == ImageShape{1, 28, 28});
  CHECK(std::vector<std::int32_t>(test.labels.begin(), test.labels.begin() + 5) ==
        std::vector<std::int32_t>{7, 2, 1, 0, 4});
  const ImageSet part = read_cifar10(std::string(directory) + "/cifar10-subset/test.bin.gz");
  CHECK(part.images() == 2000);
  CHECK(part.shape == ImageShape{3, 32, 32});
}

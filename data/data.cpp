// The list of registered kinds of data.
#include "data.h"

#include "image_files.h"
#include "parallel_text.h"
#include "synthetic.h"
#include "synthetic_images.h"
#include "synthetic_translation.h"
#include "text.h"

namespace normlab {

const char* name_of(Split split) {
  switch (split) {
    case Split::train:
      return "train";
    case Split::valid:
      return "valid";
    case Split::test:
      return "test";
  }
  return "?";
}

const std::vector<Registered<DataOptions>>& registered(const DataOptions*) {
  static const std::vector<Registered<DataOptions>> all = {
      kind<DataOptions, SyntheticOptions>("synthetic",
                                          "made-up text from a seed; needs no files and knows its own entropy"),
      kind<DataOptions, TextOptions>("text", "words or characters of text files, plain or gzip"),
      kind<DataOptions, SyntheticTranslationOptions>("synthetic_translation",
                                                     "made-up sentences and their translations from a seed"),
      kind<DataOptions, ParallelOptions>("parallel", "sentences and their translations, from text files"),
      kind<DataOptions, SyntheticImageOptions>("synthetic_images", "made-up images from a seed: which mark is it?"),
      kind<DataOptions, ImageFileOptions>("images", "images with labels, from files like MNIST's or CIFAR-10's"),
  };
  return all;
}

}  // namespace normlab

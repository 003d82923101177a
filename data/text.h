// The data kind "text": language modelling on the words or characters of any text files.
#pragma once

#include "batching.h"
#include "corpus.h"
#include "language.h"

namespace normlab {

struct TextOptions : LanguageDataOptions {
  std::string folder;  // of the files, relative to the data directory
  std::string train;   // file names; valid and test may be absent
  std::string valid;
  std::string test;
  std::string unit = "word";
  bool lowercase = false;
  std::int64_t largest_vocabulary = 0;
  std::int64_t minimum_count = 1;
  std::string vocabulary_order = "frequency";
  std::string unknown = "unk";
  BatchingConfig batching{"continuous"};
  Padding padding;

  void fields(Fields& f) override;
  // Error, naming file and place: see text_file.h, vocabulary.h and batching.h.
  std::unique_ptr<LanguageData> load_text(const std::string& directory, std::uint64_t seed) const override;
  // Only the text, before batching.
  Corpus read(const std::string& directory) const;
};

}  // namespace normlab

// The data kind "parallel": translation from one language into another, learned from text in both.
//
// A split is two files whose lines belong together, or one file with tab-separated columns. Training pairs with an
// empty side, too many tokens or too unlike lengths are left out and counted; valid and test keep every pair, since a
// score is of a whole set.
#pragma once

#include "pairs.h"

namespace normlab {

// Which subwords words are cut into; see bpe.h.
struct SubwordOptions {
  std::string kind = "none";  // | "codes": those in a file | "learn": from the training text, both languages together
  std::string codes;
  std::int64_t merges = 10000;
  std::int64_t minimum_count = 2;
  // Lists them as the variant "bpe".
  void fields(Fields& f);
};

struct ParallelOptions : TranslationDataOptions {
  std::string folder;  // of the files, relative to the data directory
  std::string train;   // file names; "{}" stands for the language and so names two files
  std::string valid;   // may be absent, and so may test
  std::string test;
  std::string source;  // languages
  std::string target;
  std::vector<std::int64_t> columns = {1, 2};  // of source and target, where a split is one file
  WordRules word_rules;
  SubwordOptions subwords;
  std::string vocabulary = "shared";
  std::int64_t largest_vocabulary = 0;
  std::int64_t minimum_count = 1;
  std::int64_t longest_sentence = 0;  // in tokens, <eos> aside; 0 for no limit
  double largest_ratio = 0;           // of the longer side to the shorter, in tokens; 0 for no limit
  PairBatching batching;

  void fields(Fields& f) override;
  // Error, naming file and line, for text that is missing, damaged or not UTF-8, and for two files of different
  // lengths; see also bpe.h, tokenizer.h and batching.h.
  std::unique_ptr<TranslationData> load_pairs(const std::string& directory, std::uint64_t seed) const override;
  // Only the pairs, before batching.
  PairCorpus read(const std::string& directory) const;
};

}  // namespace normlab

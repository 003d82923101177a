// Byte pair encoding of words into subwords (Sennrich, Haddow & Birch 2016): the most frequent pair of neighbouring
// symbols becomes one symbol, again and again. Learning, applying and the file of codes agree with subword-nmt.
//
// A word begins as its characters (code points), the last one with "</w>" behind it, so that "er</w>" at the end of a
// word is another symbol than "er" within. Segmented text marks every subword but a word's last with "@@":
//
//   lowest  ->  low@@ est
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../engine/dtype.h"
#include "words.h"

namespace normlab {

using WordCounts = WordMap<Index>;

// Adds the words of `source` to `counts`; joint codes are learned from the words of both languages together. Error,
// naming `file`, byte and line, when it is not UTF-8.
void count_words(std::string_view source, const std::string& file, WordCounts& counts);

using Merge = std::pair<std::string, std::string>;

// The first `merges` merges, or fewer when every pair left occurs less often than `minimum_count`. Of pairs that are
// equally frequent the one whose left symbol is greatest goes first, then the one whose right symbol is, compared code
// point by code point (which is byte by byte). Error when a count is negative or a word empty or not UTF-8.
std::vector<Merge> learn_bpe(const WordCounts& counts, Index merges, Index minimum_count = 2);

class Bpe {
 public:
  // Earlier merges go first; of two equal ones the first counts.
  explicit Bpe(const std::vector<Merge>& merges);

  // Of codes as subword-nmt writes them: a first line "#version: 0.2", then a merge a line, two symbols with a blank
  // between. Error, naming `file` and line, for other formats or versions, a bad line, no merge, or what is not UTF-8.
  static Bpe parse(std::string_view codes, const std::string& file);
  static Bpe read(const std::string& file);

  // The file of codes.
  std::string codes() const;
  const std::vector<Merge>& merges() const { return merges_; }

  // The words of a line as subwords with single blanks between. Every word's subwords are kept and looked up when it
  // comes again, so that one Bpe is for one thread. Error when the line is not UTF-8.
  std::string segment(std::string_view line);

 private:
  struct Step {
    std::int32_t rank = 0;    // of the merge among all
    std::int32_t symbol = 0;  // what it makes
  };
  std::string segment_word(std::string_view word) const;

  std::vector<Merge> merges_;
  WordMap<std::int32_t> symbols_;                  // ids of all symbols in merges_ and of what they make
  std::unordered_map<std::uint64_t, Step> steps_;  // by the ids of the pair
  WordMap<std::string> segmented_;
};

// Subwords joined to words again: "@@ " goes, and "@@" at the end of the line.
std::string join_subwords(std::string_view line);

}  // namespace normlab

// Vocabulary: words or characters and their ids, built from a training text.
//
// A text is a list of lines; a line is a list of units (words between blanks, or UTF-8 code points) followed by one
// <eos>, blank lines included. Ids go by falling frequency, ties by first occurrence (or all in alphabetical order), so
// that the same text always gives the same ids.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "../engine/dtype.h"
#include "words.h"

namespace normlab {

inline constexpr const char* kEndOfLine = "<eos>";
inline constexpr const char* kUnknown = "<unk>";

enum class TextUnit { word, character };

// How a text is cut into units.
struct TextRules {
  TextUnit unit = TextUnit::word;
  bool lowercase = false;  // A-Z only; other letters are left as they are
};

// Calls visit(unit, line) for every unit of `text` in order, kEndOfLine at the end of each line; lines count from 1.
// Line ends are LF or CR LF; a last line needs none. Error when the text is not valid UTF-8 (the Unicode Standard,
// table 3-7): names `file`, byte offset and line.
void for_each_unit(std::string_view text, const TextRules& rules, const std::string& file,
                   const std::function<void(std::string_view unit, Index line)>& visit);

struct VocabularyLimits {
  Index largest = 0;          // at most so many entries, <unk> and <eos> included; 0 for any number
  Index minimum_count = 1;    // rarer units become <unk>
  bool alphabetical = false;  // ids by the bytes of the units instead of by frequency
};

class Vocabulary {
 public:
  // Of the units of `text`. <unk> is an entry when the text has it or the limits leave a unit out.
  // Error when the text has no unit besides line ends.
  static Vocabulary build(std::string_view text, const TextRules& rules, const std::string& file,
                          const VocabularyLimits& limits = {});
  // Of the given entries in that order. Error when one occurs twice.
  explicit Vocabulary(std::vector<std::string> entries);

  Index size() const { return static_cast<Index>(entries_.size()); }
  const std::vector<std::string>& entries() const { return entries_; }
  const std::string& operator[](Index id) const { return entries_[static_cast<std::size_t>(id)]; }
  std::int32_t find(std::string_view entry) const;  // -1 when there is none
  std::int32_t end_of_line() const { return end_of_line_; }
  std::int32_t unknown() const { return unknown_; }  // -1 when there is none

  // The ids of all units of `text`, line ends included. A unit that is no entry becomes <unk>; when there is no <unk>,
  // or `allow_unknown` is false, it is an Error that names unit, file and line.
  std::vector<std::int32_t> encode(std::string_view text, const TextRules& rules, const std::string& file,
                                   bool allow_unknown = true) const;

 private:
  std::vector<std::string> entries_;
  WordMap<std::int32_t> ids_;
  std::int32_t end_of_line_ = -1;
  std::int32_t unknown_ = -1;
};

// Counts units one by one, to make a vocabulary of them.
class UnitCounts {
 public:
  void add(std::string_view unit);
  // The units within the limits. `symbols` are entries too, whatever their count and the limits; so are <eos> and <unk>
  // where they were counted, and <unk> when the limits leave a unit out.
  Vocabulary vocabulary(const VocabularyLimits& limits, const std::vector<std::string>& symbols = {}) const;

 private:
  struct Count {
    std::string unit;
    Index count = 0;
  };
  std::vector<Count> counts_;  // in the order of first occurrence
  WordMap<std::size_t> places_;
};

}  // namespace normlab

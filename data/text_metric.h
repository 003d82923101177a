// What BLEU and chrF share: sentences in pairs, words and n-grams that two sentences have in common, the signature.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../engine/dtype.h"

namespace normlab {

using Sentences = std::span<const std::string>;

// Error unless there is one reference per hypothesis, one pair at least, and all is UTF-8.
void check_pairs(const std::string& metric, Sentences hypotheses, Sentences references);

// The words of a text, which stand between white space: Python's str.split(), which counts the separators U+001C to
// U+001F as white space beside Unicode's White_Space. Error when the text is not UTF-8.
std::vector<std::string_view> split(std::string_view text);

// A sentence as a row of units, words or characters: unit i is text[begins[i], begins[i + 1]). A word has a blank at
// its end, so that words that differ are bytes that differ however they are joined.
struct Units {
  std::string text;
  std::vector<std::size_t> begins{0};

  void add_word(std::string_view word);
  void add_characters(std::string_view word);
  Index size() const { return static_cast<Index>(begins.size()) - 1; }
};

// How many n-grams of one order the hypotheses and the references have, and how many are matches: those in both
// sentences of a pair, each as often as in the sentence that has it less often.
struct Matches {
  Index hypothesis = 0, reference = 0, both = 0;
};
Matches count_matches(const Units& hypothesis, const Units& reference, Index order);

// "nrefs:1|case:mixed|FIELDS|version:normlab-0.1.0 (as sacrebleu 2)"; `lowercase` makes it case:lc.
std::string metric_signature(bool lowercase, const std::string& fields);

}  // namespace normlab

// chrF: n-grams of characters and words, and their F score.
#include "chrf.h"

#include <iomanip>
#include <sstream>

#include "../engine/error.h"
#include "unicode.h"

namespace normlab {
namespace {

constexpr Index kCharacterOrder = 6;

bool is_punctuation(char c) {  // in ASCII
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

// One mark leaves a word: the last character, or else the first.
void add_without_punctuation(Units& words, std::string_view word) {
  const std::size_t last = word.size() - 1;
  if (last > 0 && is_punctuation(word[last])) {
    words.add_word(word.substr(0, last));
    words.add_word(word.substr(last));
  } else if (last > 0 && is_punctuation(word[0])) {
    words.add_word(word.substr(0, 1));
    words.add_word(word.substr(1));
  } else {
    words.add_word(word);
  }
}

struct Sentence {
  Units characters, words;

  Sentence(const std::string& text, bool in_lower_case) {
    const std::string cased = in_lower_case ? lowercase(text) : text;
    for (const std::string_view word : split(cased)) {
      characters.add_characters(word);
      add_without_punctuation(words, word);
    }
  }
};

// Of the counts of each n-gram order. An order without n-grams in the hypotheses is left out; the others have some in
// the references too.
double f_score(const std::vector<Matches>& orders) {
  double precision = 0, recall = 0;
  Index effective = 0;
  for (const Matches& n : orders) {
    if (n.hypothesis == 0) continue;
    precision += static_cast<double>(n.both) / static_cast<double>(n.hypothesis);
    recall += static_cast<double>(n.both) / static_cast<double>(n.reference);
    ++effective;
  }
  if (precision == 0) return 0;
  precision /= static_cast<double>(effective);
  recall /= static_cast<double>(effective);
  return 100 * 5 * precision * recall / (4 * precision + recall);
}

}  // namespace

Chrf corpus_chrf(Sentences hypotheses, Sentences references, const ChrfOptions& options) {
  check(options.word_order >= 0, "chrf: word_order must be at least 0, is ", options.word_order);
  check_pairs("chrf", hypotheses, references);
  std::vector<Matches> orders(static_cast<std::size_t>(kCharacterOrder + options.word_order));
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    const Sentence hypothesis(hypotheses[i], options.lowercase), reference(references[i], options.lowercase);
    for (std::size_t k = 0; k < orders.size(); ++k) {
      const Index n = static_cast<Index>(k) + 1;
      const Matches counts = n <= kCharacterOrder
                                 ? count_matches(hypothesis.characters, reference.characters, n)
                                 : count_matches(hypothesis.words, reference.words, n - kCharacterOrder);
      orders[k].hypothesis += counts.reference > 0 ? counts.hypothesis : 0;
      orders[k].reference += counts.reference;
      orders[k].both += counts.both;
    }
  }
  return {f_score(orders), options.word_order};
}

std::string Chrf::line(int decimals) const {
  std::ostringstream out;
  out << "chrF2" << std::string(static_cast<std::size_t>(word_order), '+') << " = " << std::fixed
      << std::setprecision(decimals) << score;
  return out.str();
}

std::string chrf_signature(const ChrfOptions& options) {
  return metric_signature(options.lowercase,
                          text("eff:yes|nc:", kCharacterOrder, "|nw:", options.word_order, "|space:no"));
}

}  // namespace normlab

// Cutting sentences into units, and counting the n-grams that two of them have in common.
#include "text_metric.h"

#include <algorithm>
#include <iterator>

#include "../engine/error.h"
#include "unicode.h"

namespace normlab {
namespace {

void check_sentences(const std::string& metric, const char* side, Sentences sentences) {
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    const auto at = find_invalid_utf8(sentences[i]);
    if (at) {
      throw Error(text(metric, ": ", side, " must be UTF-8, have ", describe_invalid_utf8(sentences[i], *at),
                       " of line ", i + 1));
    }
  }
}

std::vector<std::string_view> sorted_ngrams(const Units& units, Index order) {
  const auto n = static_cast<std::size_t>(order);
  const std::string_view all = units.text;
  std::vector<std::string_view> ngrams;
  for (std::size_t i = 0; i + n < units.begins.size(); ++i) {
    ngrams.push_back(all.substr(units.begins[i], units.begins[i + n] - units.begins[i]));
  }
  std::sort(ngrams.begin(), ngrams.end());
  return ngrams;
}

}  // namespace

void check_pairs(const std::string& metric, Sentences hypotheses, Sentences references) {
  check(hypotheses.size() == references.size(), metric, ": needs one reference per hypothesis, has ", hypotheses.size(),
        " hypotheses and ", references.size(), " references");
  check(!hypotheses.empty(), metric, ": needs at least one hypothesis, has 0");
  check_sentences(metric, "hypotheses", hypotheses);
  check_sentences(metric, "references", references);
}

std::vector<std::string_view> split(std::string_view s) {
  require_utf8("split", s);
  std::vector<std::string_view> words;
  std::size_t begin = 0, i = 0;
  const auto end_word = [&] {
    if (i > begin) words.push_back(s.substr(begin, i - begin));
  };
  for (const char32_t c : decode_utf8(s)) {
    const std::size_t length = utf8_length(s, i);
    if (is_space(c) || (c >= 0x1C && c <= 0x1F)) {
      end_word();
      begin = i + length;
    }
    i += length;
  }
  end_word();
  return words;
}

void Units::add_word(std::string_view word) {
  text.append(word).push_back(' ');
  begins.push_back(text.size());
}

void Units::add_characters(std::string_view word) {
  for (std::size_t i = 0; i < word.size();) {
    i += utf8_length(word, i);
    begins.push_back(text.size() + i);
  }
  text.append(word);
}

Matches count_matches(const Units& hypothesis, const Units& reference, Index order) {
  const auto h = sorted_ngrams(hypothesis, order), r = sorted_ngrams(reference, order);
  std::vector<std::string_view> both;  // what is m times in one and n times in the other is min(m, n) times here
  std::set_intersection(h.begin(), h.end(), r.begin(), r.end(), std::back_inserter(both));
  return {static_cast<Index>(h.size()), static_cast<Index>(r.size()), static_cast<Index>(both.size())};
}

std::string metric_signature(bool lowercase, const std::string& fields) {
  return text("nrefs:1|case:", lowercase ? "lc" : "mixed", "|", fields,
              "|version:normlab-" NORMLAB_VERSION " (as sacrebleu 2)");
}

}  // namespace normlab

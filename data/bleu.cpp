// BLEU: the tokenizer 13a, counts of matching n-grams, and the score.
#include "bleu.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>

#include "unicode.h"

namespace normlab {
namespace {

std::string replace_all(std::string_view s, std::string_view from, std::string_view to) {
  std::string out;
  for (std::size_t i = 0; i < s.size();) {
    const std::size_t found = std::min(s.find(from, i), s.size());
    out.append(s.substr(i, found - i));
    if (found < s.size()) out.append(to);
    i = found + from.size();
  }
  return out;
}

bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }
bool is_no_digit(char c) { return !is_ascii_digit(c); }
bool is_point_or_comma(char c) { return c == '.' || c == ','; }
bool is_dash(char c) { return c == '-'; }
bool is_mark(char c) {  // ASCII that is no letter, digit, apostrophe, comma, dash or point
  return (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') || c == '/' || (c >= ':' && c <= '@') ||
         (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

std::string separate_marks(std::string_view s) {
  std::string out;
  for (const char c : s) out.append(is_mark(c) ? std::string{' ', c, ' '} : std::string{c});
  return out;
}

// From left to right, each pair of neighbours `first` and `second` is written with a blank between, and what is given
// before and after; the next pair begins behind it.
std::string separate_pairs(std::string_view s, bool (*first)(char), bool (*second)(char), std::string_view before,
                           std::string_view after) {
  std::string out;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (i + 1 < s.size() && first(s[i]) && second(s[i + 1])) {
      out.append(before).append({s[i], ' ', s[i + 1]}).append(after);
      ++i;
    } else {
      out.push_back(s[i]);
    }
  }
  return out;
}

Units tokens(const std::string& sentence, const BleuOptions& options) {
  std::string text = options.lowercase ? lowercase(sentence) : sentence;
  if (options.tokenizer == BleuTokenizer::v13a) text = tokenize_13a(text);
  Units units;
  for (const std::string_view word : split(text)) units.add_word(word);
  return units;
}

// Sets precisions and score from the rest.
void finish(Bleu& bleu, BleuSmoothing smoothing) {
  const double h = static_cast<double>(bleu.hypothesis_length), r = static_cast<double>(bleu.reference_length);
  bleu.brevity_penalty = h >= r ? 1 : h > 0 ? std::exp(1 - r / h) : 0;
  if (bleu.matches[0] == 0) return;  // then no longer n-gram matches either
  double sum_of_logs = 0, smallest = 100, divisor = 1;
  for (std::size_t n = 0; n < 4; ++n) {
    double& p = bleu.precisions[n];
    const auto matches = static_cast<double>(bleu.matches[n]), total = static_cast<double>(bleu.totals[n]);
    if (bleu.matches[n] > 0) {
      p = 100 * matches / total;
    } else if (bleu.totals[n] > 0 && smoothing == BleuSmoothing::exponential) {
      divisor *= 2;
      p = 100 / (divisor * total);
    }
    smallest = std::min(smallest, p);
    sum_of_logs += std::log(p);
  }
  bleu.score = smallest > 0 ? bleu.brevity_penalty * std::exp(sum_of_logs / 4) : 0;
}

}  // namespace

// All that it looks at is ASCII, so that it may go by bytes; but white space at the end is Unicode's.
std::string tokenize_13a(std::string_view sentence) {
  const auto words = split(sentence);
  if (words.empty()) return "";
  const char* const end = words.back().data() + words.back().size();
  std::string s(sentence.data(), end);
  s = replace_all(s, "<skipped>", "");
  s = replace_all(s, "-\n", "");
  s = replace_all(s, "\n", " ");
  s = replace_all(s, "&quot;", "\"");
  s = replace_all(s, "&amp;", "&");
  s = replace_all(s, "&lt;", "<");
  s = replace_all(s, "&gt;", ">");
  s = separate_marks(" " + s + " ");
  s = separate_pairs(s, is_no_digit, is_point_or_comma, "", " ");  // "x." is "x . "
  s = separate_pairs(s, is_point_or_comma, is_no_digit, " ", "");  // ".x" is " . x"
  return separate_pairs(s, is_ascii_digit, is_dash, "", " ");      // "1-" is "1 - "
}

Bleu corpus_bleu(Sentences hypotheses, Sentences references, const BleuOptions& options) {
  check_pairs("bleu", hypotheses, references);
  Bleu bleu;
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    const Units hypothesis = tokens(hypotheses[i], options), reference = tokens(references[i], options);
    bleu.hypothesis_length += hypothesis.size();
    bleu.reference_length += reference.size();
    for (std::size_t n = 0; n < 4; ++n) {
      const Matches matches = count_matches(hypothesis, reference, static_cast<Index>(n + 1));
      bleu.matches[n] += matches.both;
      bleu.totals[n] += matches.hypothesis;
    }
  }
  finish(bleu, options.smoothing);
  return bleu;
}

std::string Bleu::line(int decimals) const {
  const double ratio =
      reference_length == 0 ? 0 : static_cast<double>(hypothesis_length) / static_cast<double>(reference_length);
  std::ostringstream out;
  out << std::fixed << std::setprecision(decimals) << "BLEU = " << score << std::setprecision(1);
  for (std::size_t n = 0; n < 4; ++n) out << (n == 0 ? ' ' : '/') << precisions[n];
  out << std::setprecision(3) << " (BP = " << brevity_penalty << " ratio = " << ratio
      << " hyp_len = " << hypothesis_length << " ref_len = " << reference_length << ')';
  return out.str();
}

std::string bleu_signature(const BleuOptions& options) {
  const std::string tokenizer = options.tokenizer == BleuTokenizer::v13a ? "13a" : "none";
  const std::string smoothing = options.smoothing == BleuSmoothing::exponential ? "exp" : "none";
  return metric_signature(options.lowercase, "eff:no|tok:" + tokenizer + "|smooth:" + smoothing);
}

}  // namespace normlab

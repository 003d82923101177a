// Corpus BLEU (Papineni et al. 2002) by the definition of sacreBLEU 2 (Post 2018), with one reference per hypothesis:
//
//   BLEU = BP * exp(1/4 sum_n ln p_n)     p_n = 100 matches_n / totals_n for n = 1..4
//   BP   = min(1, exp(1 - r / h))         h, r tokens in all hypotheses, in all references
//
// totals_n counts the n-grams of all hypotheses; of these, matches_n are in the sentence's reference too, each counted
// at most as often as it occurs there. BLEU is 0 when a p_n is. Exponential smoothing (Chen & Cherry 2014, method 3)
// gives the k-th order without a match p_n = 100 / (2^k totals_n); it helps neither a corpus without any match nor an
// order without n-grams.
//
// Two figures bear the name: BLEU of plain text, split by the tokenizer 13a, and "tokenised BLEU" of text that is split
// already, by the tokenizer none. The signature tells them apart.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "../engine/dtype.h"
#include "text_metric.h"

namespace normlab {

enum class BleuTokenizer {
  v13a,  // of mteval-v13a.pl, the WMT's script
  none,  // words stand between white space already
};
enum class BleuSmoothing { none, exponential };

struct BleuOptions {
  BleuTokenizer tokenizer = BleuTokenizer::v13a;
  BleuSmoothing smoothing = BleuSmoothing::exponential;
  // Both sides are put in lower case before they are split. sacreBLEU knows the case of more letters than unicode.h,
  // writes a sigma at the end of a word as the final one, and the Turkish İ as i with a dot above.
  bool lowercase = false;
};

struct Bleu {
  double score = 0;                    // 0 to 100
  std::array<double, 4> precisions{};  // p_1 to p_4, smoothed, 0 to 100; all 0 when nothing matches
  std::array<Index, 4> matches{}, totals{};
  double brevity_penalty = 1;
  Index hypothesis_length = 0, reference_length = 0;  // tokens

  // "BLEU = 35.9 69.5/44.2/30.1/20.9 (BP = 0.961 ratio = 0.962 hyp_len = 126217 ref_len = 131161)", as sacreBLEU
  // prints it; ratio is hyp_len / ref_len.
  std::string line(int decimals = 1) const;
};

// Of sentences in UTF-8, hypotheses[i] with references[i]. Error when their numbers differ or are 0, or for other
// bytes.
Bleu corpus_bleu(Sentences hypotheses, Sentences references, const BleuOptions& options = {});

// "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:normlab-0.1.0 (as sacrebleu 2)"
std::string bleu_signature(const BleuOptions& options);

// The sentence with the tokens of 13a between white space.
std::string tokenize_13a(std::string_view sentence);

}  // namespace normlab

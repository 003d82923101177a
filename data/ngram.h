// Unigram and bigram models: the baselines a trained model must beat.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "language.h"

namespace normlab {

// Counted on the targets of a training split. A word's probability is (count + 1/2) / (tokens + vocabulary / 2).
class Unigram {
 public:
  explicit Unigram(const LanguageData& data);
  double probability(std::int32_t word) const;

 private:
  std::vector<Index> counts_;
  Index tokens_ = 0;
};

// Interpolated Kneser-Ney (Kneser & Ney 1995, interpolated as in Chen & Goodman 1999, section 4.1.6):
//
//   p(w | v) = max(c(v w) - D, 0) / c(v) + D N(v .) / c(v) * q(w)
//   q(w)     = max(N(. w) - E, 0) / N(. .) + E |{w: N(. w) > 0}| / N(. .) / vocabulary
//
// c counts pairs, N counts different ones. The discounts are Ney, Essen & Kneser's (1994) estimate n1 / (n1 + 2 n2)
// from how many counts are 1 and 2, D of the c(v w) and E of the N(. w). After a v never seen, p(w | v) = q(w).
class Bigram {
 public:
  explicit Bigram(const LanguageData& data);
  double probability(std::int32_t previous, std::int32_t word) const;

 private:
  double continuation(std::int32_t word) const;
  Index pair_count(std::int32_t previous, std::int32_t word) const;

  struct Pair {
    std::int32_t previous, word;
    Index count;
  };
  std::vector<Pair> pairs_;            // sorted by previous, then word
  std::vector<Index> first_;           // [vocabulary + 1] where each previous begins in pairs_
  std::vector<Index> history_;         // c(v): how often v was an input
  std::vector<Index> predecessors_;    // N(. w)
  Index words_ = 0;                    // |{w: N(. w) > 0}|
  double discount_ = 0, continuation_discount_ = 0;
};

// Perplexity exp(-mean ln p) over exactly the tokens that an evaluation of the split predicts; each given the token
// before.
struct NgramPerplexity {
  double unigram = 0;
  double bigram = 0;
  Index tokens = 0;
};
NgramPerplexity ngram_perplexity(const LanguageData& data, Split split);

}  // namespace normlab

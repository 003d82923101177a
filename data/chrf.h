// Corpus chrF (Popović 2015) by the definition of sacreBLEU 2: an F score of character n-grams, white space removed,
// with recall twice as important as precision:
//
//   chrF2 = 100 * 5 P R / (4 P + R)     P = mean_n matches_n / hypothesis_n     R = mean_n matches_n / reference_n
//
// for n = 1..6, over the orders of which both sides have n-grams ("effective order"). The counts are sums over
// sentences; a hypothesis' n-grams of an order that its reference is too short for do not count. chrF2++ (Popović 2017)
// averages over n-grams of one and two words besides.
#pragma once

#include <string>

#include "../engine/dtype.h"
#include "text_metric.h"

namespace normlab {

struct ChrfOptions {
  Index word_order = 0;    // the longest n-grams of words: 0 for chrF2, 2 for chrF2++
  bool lowercase = false;  // as in BleuOptions
};

struct Chrf {
  double score = 0;  // 0 to 100
  Index word_order = 0;

  std::string line(int decimals = 1) const;  // "chrF2 = 60.4", with a + per word order
};

// Of sentences in UTF-8, hypotheses[i] with references[i]. Error when their numbers differ or are 0, or for other
// bytes.
Chrf corpus_chrf(Sentences hypotheses, Sentences references, const ChrfOptions& options = {});

// "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:normlab-0.1.0 (as sacrebleu 2)"
std::string chrf_signature(const ChrfOptions& options);

}  // namespace normlab

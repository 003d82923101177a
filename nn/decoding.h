// Decoding: the translations that a model finds most likely, by greedy or beam search.
#pragma once

#include <cstdint>
#include <vector>

#include "translation_model.h"

namespace normlab {

struct DecodingOptions {
  std::int64_t beam = 5;      // 1 is greedy search
  double length_penalty = 1;  // alpha of the score
  double length_factor = 1;   // a translation has at most length_factor * source tokens + length_offset tokens
  std::int64_t length_offset = 50;
  std::int64_t min_length = 1;  // and at least so many, <eos> not counted

  void fields(Fields& f);
};

// A translation. Its score is (sum of log_probabilities) / tokens^alpha, with <eos> counted, as in fairseq.
struct Hypothesis {
  std::vector<std::int32_t> tokens;       // the last one is <eos>
  std::vector<double> log_probabilities;  // of each token after the ones before it, natural log
  double score = 0;
};

// The model's logits are NaN or infinite: there is no likeliest token.
class NotFinite : public Error {
 public:
  using Error::Error;
};

// For each sentence of i32 source[tokens] packed as source_rows, up to `beam` finished hypotheses, best score first.
// `first` is what the decoder reads before the first token (<bos>, or <eos> where a model was trained so).
//
// The rule, as in fairseq's generator. In each step every live hypothesis of a sentence is continued by every token,
// and the continuations are ranked by their summed log-probability. One that ends in <eos> is finished if it is among
// the first `beam`, and dropped otherwise; of the others the first `beam` live on. A sentence is done when `beam` of
// its hypotheses are finished, whatever the live ones might still become, or at its greatest length, where every live
// one is ended by force. Before min_length tokens no other <eos> is allowed. The greatest length is also that of the
// model's positions: extents().longest_target - 1. Ties go to the hypothesis ranked higher before, then to the lower
// token.
//
// Sentences do not influence each other, but for the rounding of products whose shape depends on their number.
// Error when a tape is alive; NotFinite when logits are not finite.
std::vector<std::vector<Hypothesis>> decode(const TranslationModel& model, const Tensor& source,
                                            const Rows& source_rows, Index first, Index eos,
                                            const DecodingOptions& options = {});

}  // namespace normlab

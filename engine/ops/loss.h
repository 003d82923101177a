// Cross-entropy with label smoothing; alone, and with the linear map to the logits in front of it.
#pragma once

#include <string>

#include "../rows.h"
#include "../tensor.h"

namespace normlab {

struct CrossEntropy {
  Tensor loss;          // shape []: what to differentiate
  double nll = 0;       // summed negative log-likelihood (natural log, no smoothing) of the counted rows
  double smoothed = 0;  // the summed smoothed loss of the counted rows
  Index tokens = 0;     // rows that count
  Index correct = 0;    // of these, those whose target has the largest logit; of equal ones, the first
};

// logits[tokens, classes], targets[tokens] (i32). With p = softmax(logits of a row) and target t, the row's loss is
//   (1 - s) * -log p_t  +  s / classes * sum_c -log p_c,      s = label_smoothing (Szegedy et al. 2016, section 7).
// loss = (sum over counted rows) / divisor; a divisor of 0 means the number of counted rows. Give the token count of
// the whole optimizer step as the divisor when gradients are accumulated over micro-batches. Error when a counted
// target is not in [0, classes), or no row counts and the divisor is 0.
CrossEntropy cross_entropy(const Tensor& logits, const Tensor& targets, const Rows& rows, double label_smoothing = 0,
                           double divisor = 0);

// The logits that are at hand at a time. Fewer rows take less memory; but each block reads and writes the whole
// gradient of the weight, as large as the logits of as many rows as it has columns.
inline constexpr Index kLossRowsAtOnce = 512;

// cross_entropy(linear(h, weight, bias), …) for h[tokens, in], weight[classes, in] and bias[classes], which may be
// undefined, without the logits of more than kLossRowsAtOnce tokens at a time. Where tokens are more, and a Tape lives,
// the gradients are made here, for a loss whose own gradient is 1, and multiplied by it in backward. The logits are
// shown to whoever looks as `site`, block by block, with that gradient; a site without a name is not shown. Errors as
// above, and those of linear().
CrossEntropy linear_cross_entropy(const Tensor& h, const Tensor& weight, const Tensor& bias, const Tensor& targets,
                                  const Rows& rows, double label_smoothing = 0, double divisor = 0,
                                  const std::string& site = "");

}  // namespace normlab

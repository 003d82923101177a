// Inference time: what a token costs a language model as it is, with its norms folded, and with other norms.
#pragma once

#include "../measurement.h"

namespace normlab {

// Evaluations of one batch of random tokens, timed in turns, so that whatever else the machine does befalls all alike.
// The sites are "batch", the kind of the model's own norm; "batch folded", the same with its norms folded into linear
// maps (nn/folding.h); and one for each other kind of norm in `beside`, in a model that is otherwise the same, at
// its first values: time does not depend on values.
//
//   seconds_per_token          the median over turns. `error`: half of the 95 % interval by order statistics
//   seconds_per_token_spread   from the first quartile to the third
//   folded_difference          of the logits before and after folding: the largest, over their largest magnitude
//
// Nothing is kept between tokens: each forward computes all tokens of its batch. Error when the norms cannot be folded,
// or the sequences are longer than the model's.
struct InferenceTimeOptions : MeasurementOptions {
  std::vector<std::string> beside = {"layer"};
  bool fold = true;
  std::int64_t sequences = 16;
  std::int64_t length = 128;
  std::int64_t turns = 50;

  void fields(Fields& f) override;
  std::string problem(const ModelOptions& model) const override;
  bool timed() const override { return true; }
  std::vector<Measurement> measure(const MeasuringContext& context) const override;
};

}  // namespace normlab

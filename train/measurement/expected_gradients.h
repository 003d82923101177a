// Expected gradients: the Frobenius norm of weights' gradients, averaged over batches before the norm is taken.
#pragma once

#include "../measurement.h"

namespace normlab {

// As Xiong et al. 2020 plot them (figure 3): for each weight matrix the gradient of the loss per token is averaged
// element by element over many batches, and only then its norm is taken. No dropout; norms use the statistics of each
// batch where they use any. At each site that is chosen:
//
//   expected_gradient_norm   ‖E g‖, with the noise of a finite average removed: the batches are dealt to groups, whose
//                            mean gradients g_i have independent noise, so that <g_i, g_j> for i != j is ‖E g‖^2 in the
//                            mean. The square root of the mean over all pairs of groups, by tokens; 0 where that is
//                            negative. `error`: the 95 % interval by the jackknife over groups
//   mean_gradient_norm       the norm of the average over all batches, noise and all, as published
//
// and of what the gradients pass through, averaged over the same batches and all features, at the input of the stack
// and the output of each layer ("decoder.input", "decoder.layers.0.out"):
//
//   hidden                   mean square
//   hidden_inverse_rms       hidden^(-1/2): in Pre-LN the factor that the final norm puts on the gradient of the last
//                            layer, (x0 + c L)^(-1/2) where hidden grows from x0 by c in each of L layers
//   hidden_growth            c: what hidden grows by in each layer, in the mean over the layers of a stack, whose path
//                            is the site ("decoder", empty for a language model)
//
//   batches, tokens          how many were averaged over: rounds of one batch a group, until every interval is narrower
//                            than `interval`, relatively, or most_batches are used
// Error when no parameter is chosen, or most_batches exceeds an epoch: what is seen twice has the same noise twice.
struct ExpectedGradientsOptions : MeasurementOptions {
  std::vector<std::string> sites = {"*feed_forward.inner.weight", "*feed_forward.outer.weight"};
  std::int64_t groups = 8;
  double interval = 0.05;
  std::int64_t most_batches = 64;
  double label_smoothing = 0;

  void fields(Fields& f) override;
  std::vector<Measurement> measure(const MeasuringContext& context) const override;
};

// What groups of batches show of a gradient, by the inner products of their summed gradients.
class GroupedGradient {
 public:
  explicit GroupedGradient(std::size_t groups) : sums_(groups), tokens_(groups, 0) {}
  // The summed gradient of a batch of so many tokens; takes hold of the sum, not of `gradient`.
  void add(std::size_t group, const Tensor& gradient, double tokens);

  struct Norms {
    double expected = 0;     // noise removed
    double half_width = 0;   // of its 95 % interval; infinite for fewer than three groups
    double of_the_mean = 0;  // noise and all
  };
  Norms norms() const;

 private:
  std::vector<Tensor> sums_;
  std::vector<double> tokens_;
};

}  // namespace normlab

// The pre-scale: what may stand in front of any norm.
#pragma once

#include "norm.h"

namespace normlab {

// y = norm(x / rms(x)): first each token is divided by the root mean square of its features, in `groups` runs of equal
// length by that of each run, then comes the norm. The PowerNorm paper's "layer-scale" (Shen et al. 2020, appendix
// VII), which its code calls group scaling: RMSNorm (Zhang & Sennrich 2019) without a gain, in training and in
// evaluation. It has no parameters and stands at the norm's own path.
class PreScaledNorm : public Norm {
 public:
  PreScaledNorm(const Init& init, std::unique_ptr<Norm> norm, Index groups);
  Tensor forward(const Tensor& x, const Rows& rows, const Pass& pass) override;
  bool exact_gradient() const override { return norm_.exact_gradient(); }
  Passes passes() const override;

 private:
  static constexpr double kEpsilon = 1e-5;  // as the paper's code has it
  Index groups_;
  Norm& norm_;
};

}  // namespace normlab

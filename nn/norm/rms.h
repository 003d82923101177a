// RMSNorm (Zhang & Sennrich 2019): each token by the root mean square of its own features.
#pragma once

#include "norm.h"

namespace normlab {

// y = weight * x / sqrt(mean(x^2) + epsilon), weight[features] = 1 at first: layer norm without mean and bias.
class RmsNorm : public Norm {
 public:
  RmsNorm(const Init& init, Index features, double epsilon = 1e-5);
  Tensor forward(const Tensor& x, const Rows& rows, const Pass& pass) override;

 private:
  double epsilon_;
  Tensor weight_;
};

struct RmsNormOptions : NormOptions {
  double epsilon = 1e-5;

  void fields(Fields& f) override;
  std::unique_ptr<Norm> make(const Init& init, Index features) const override;
};

}  // namespace normlab

// Layer normalization (Ba, Kiros & Hinton 2016): each token by the mean and variance of its own features.
#pragma once

#include "norm.h"

namespace normlab {

// y = weight * (x - mean) / sqrt(variance + epsilon) + bias, weight[features] = 1 and bias[features] = 0 at first.
class LayerNorm : public Norm {
 public:
  LayerNorm(const Init& init, Index features, double epsilon = 1e-5);
  Tensor forward(const Tensor& x, const Rows& rows, const Pass& pass) override;

 private:
  double epsilon_;
  Tensor weight_;
  Tensor bias_;
};

struct LayerNormOptions : NormOptions {
  double epsilon = 1e-5;

  void fields(Fields& f) override;
  std::unique_ptr<Norm> make(const Init& init, Index features) const override;
};

}  // namespace normlab

// DyT, dynamic tanh (Zhu et al. 2025): bends large values as a norm would, and measures nothing.
#pragma once

#include "norm.h"

namespace normlab {

// y = weight * tanh(alpha * x) + bias; at first alpha[1] is as given, weight[features] = 1 and bias[features] = 0.
class DynamicTanh : public Norm {
 public:
  DynamicTanh(const Init& init, Index features, double alpha = 0.5);
  Tensor forward(const Tensor& x, const Rows& rows, const Pass& pass) override;

 private:
  Tensor alpha_;
  Tensor weight_;
  Tensor bias_;
};

struct DynamicTanhOptions : NormOptions {
  double alpha = 0.5;

  void fields(Fields& f) override;
  std::unique_ptr<Norm> make(const Init& init, Index features) const override;
};

}  // namespace normlab

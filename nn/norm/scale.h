// ScaleNorm (Nguyen & Salazar 2019): each token is given the same length.
#pragma once

#include "norm.h"

namespace normlab {

// y = g * x / sqrt(sum(x^2) + epsilon). The only parameter is g, named weight[1], sqrt(features) at first: then it does
// what RMSNorm does.
class ScaleNorm : public Norm {
 public:
  ScaleNorm(const Init& init, Index features, double epsilon = 1e-5);
  Tensor forward(const Tensor& x, const Rows& rows, const Pass& pass) override;

 private:
  double epsilon_;
  Tensor weight_;
};

struct ScaleNormOptions : NormOptions {
  double epsilon = 1e-5;

  void fields(Fields& f) override;
  std::unique_ptr<Norm> make(const Init& init, Index features) const override;
};

}  // namespace normlab

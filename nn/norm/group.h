// Group normalization (Wu & He 2018): each token, group of features by group, by the group's mean and variance.
#pragma once

#include <cstdint>

#include "norm.h"

namespace normlab {

// Layer norm of each of `groups` runs of equal length of a token's features; weight[features] = 1 and bias[features] =
// 0 at first. Unlike in images, where a group's statistics are also over places, tokens never mix.
class GroupNorm : public Norm {
 public:
  GroupNorm(const Init& init, Index features, Index groups, double epsilon = 1e-5);
  Tensor forward(const Tensor& x, const Rows& rows, const Pass& pass) override;

 private:
  Index groups_;
  double epsilon_;
  Tensor weight_;
  Tensor bias_;
};

struct GroupNormOptions : NormOptions {
  std::int64_t groups = 4;
  double epsilon = 1e-5;

  void fields(Fields& f) override;
  std::unique_ptr<Norm> make(const Init& init, Index features) const override;
  std::string problem(Index features) const override;
};

}  // namespace normlab

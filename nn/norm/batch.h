// Batch normalization (Ioffe & Szegedy 2015) over the tokens of a batch, as a module with running statistics.
#pragma once

#include <cstdint>
#include <map>

#include "../../engine/ops/batch_norm.h"
#include "norm.h"

namespace normlab {

struct BatchNormSettings {
  double momentum = 0.1;
  double epsilon = 1e-5;
  std::int64_t statistics_tokens = 0;
  double mean_penalty = 0;
  double variance_penalty = 0;
};

// y = weight * (x - mean) / sqrt(variance + epsilon) + bias, weight[features] = 1 and bias[features] = 0 at first. In
// training mean and variance are the batch's own, over the tokens that count; in evaluation the running ones, which
// each commit moves toward the batch's by the share `momentum`. Buffers running_mean = 0, running_variance = 1 at
// first. The variance divides by the number of tokens, the running one too (PyTorch's running variance divides by one
// less).
//
// About zero instead of the mean it is PN-V (nn/norm/power_v.h), with one buffer running_second_moment.
class BatchNorm : public Norm {
 public:
  enum class About { mean, zero };
  BatchNorm(const Init& init, Index features, const BatchNormSettings& settings, About about = About::mean);

  Tensor forward(const Tensor& x, const Rows& rows, const Pass& pass) override;
  Passes passes() const override { return {3, 5}; }  // x twice, y; x and dy twice, dx
  std::optional<Affine> affine() const override;
  // mean_distance, variance_distance, mean_gradient_term …: see README.md
  std::vector<Measure> measures() const override;

 protected:
  void commit_own() override;

 private:
  Tensor batch_forward(const Tensor& x, const Rows& rows, const Pass& pass);

  BatchNormSettings settings_;
  Tensor weight_;
  Tensor bias_;
  Tensor running_mean_;  // undefined about zero
  Tensor running_variance_;
  std::map<std::uint32_t, std::shared_ptr<const BatchStatistics>> pending_;  // by micro-batch
};

struct BatchNormOptions : NormOptions {
  BatchNormSettings settings;

  void fields(Fields& f) override;
  std::unique_ptr<Norm> make(const Init& init, Index features) const override;
};

// The fields that batch normalization and PN-V share.
void batch_statistics_fields(Fields& f, BatchNormSettings& settings);

}  // namespace normlab

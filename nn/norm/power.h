// Power normalization, PN (Shen et al. 2020), as a module with running statistics.
//
// The paper (algorithm 2) and its authors' code differ. Both are here by name; `mode` sets what the other options start
// from, and each can then be set by itself.
//
//                                 paper                       reference (the authors' code)
//   alpha_forward, alpha_backward 0.9, 0.9 (tuned by hand)    0.9, 0.9
//   warmup_steps                  0: not described; "the      10000
//                                 length of the rate's
//                                 warm-up": so many updates,
//                                 one for each ghost batch
//                                 of each micro-batch
//   in the warm-up                forward divides by the batch's own psi
//   running psi in the warm-up    the moving average alone    first the mean of all batches so far, then the moving
//                                                             average on top of it
//   backward divides by           what forward divided by     the batch's own psi, always
//   nu                            algorithm 2                 the same in other variables: nu = (1 - alpha) * ema_gz
//   1 / weight in dx (printed)    a slip, weight is meant     weight
//   pads                          do not exist                left out of psi, counted in Gamma and Lambda; here, in
//                                                             either mode, left out of psi and Gamma, and Lambda is
//                                                             the sum over all rows / the number of counted ones
#pragma once

#include <cstdint>
#include <map>

#include "../../engine/ops/power_norm.h"
#include "norm.h"

namespace normlab {

// y = weight * x / psi + bias, weight[features] = 1 and bias[features] = 0 at first; psi^2 is a running second moment
// that each commit moves toward the batch's. The gradient is a surrogate: see engine/ops/power_norm.cpp. In evaluation
// psi is the running one, also within the warm-up. Buffers running_second_moment = 1, nu = 0 and updates = 0 at first.
class PowerNorm : public Norm {
 public:
  PowerNorm(const Init& init, Index features, const PowerRule& rule, Index statistics_tokens = 0);

  Tensor forward(const Tensor& x, const Rows& rows, const Pass& pass) override;
  bool exact_gradient() const override { return false; }
  Passes passes() const override;
  std::optional<Affine> affine() const override;
  // second_moment_distance, gamma_largest, nu_norm …: see README.md
  std::vector<Measure> measures() const override;

 protected:
  void commit_own() override;

 private:
  PowerState state() const;

  PowerRule rule_;
  Index statistics_tokens_;
  Tensor weight_;
  Tensor bias_;
  Tensor running_second_moment_;
  Tensor nu_;
  Tensor updates_;
  std::map<std::uint32_t, std::shared_ptr<const PowerStatistics>> pending_;  // by micro-batch
};

struct PowerNormOptions : NormOptions {
  enum class Mode { paper, reference };
  Mode mode = Mode::paper;
  PowerRule rule = rule_of(Mode::paper);
  std::int64_t statistics_tokens = 0;

  static PowerRule rule_of(Mode mode);
  void fields(Fields& f) override;
  std::unique_ptr<Norm> make(const Init& init, Index features) const override;
  std::string exact_kind() const override { return "power_v"; }
};

}  // namespace normlab

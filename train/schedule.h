// Schedule: the learning rate of step t is optimizer.rate * factor(t), factor(t) = ramp(t) * decay(t).
//
// Ramp and decay are set independently. Xiong et al. 2020 train without warm-up by setting T = 1 in a schedule whose
// decay also contains T, sqrt(T / t) (as far as its text tells): every later rate shrinks too. Here all arms can be
// written down:
//   the papers' schedule           warmup_steps 4000, decay inverse_sqrt (its decay_steps is then 4000 as well)
//   no ramp, the same decay        warmup_steps 0,    decay inverse_sqrt with decay_steps 4000
//   the collapsed "T = 1"          warmup_steps 0,    decay inverse_sqrt with decay_steps 1
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../engine/registry.h"

namespace normlab {

// One way to let the rate fall.
class DecayOptions {
 public:
  virtual ~DecayOptions() = default;
  virtual void fields(Fields& f) = 0;
  // Gives fields that were left open their value once the ramp is known, and reports what does not fit it.
  virtual void settle(Fields& /*f*/, std::int64_t /*warmup_steps*/) {}
  // The factor at `step` (1 is the first) of `total_steps`, in [0, 1] after a ramp of `warmup_steps`.
  virtual double factor(std::int64_t step, std::int64_t warmup_steps, std::int64_t total_steps) const = 0;
};

const std::vector<Registered<DecayOptions>>& registered(const DecayOptions*);

struct ScheduleConfig {
  std::int64_t warmup_steps = 0;           // T
  Choice<DecayOptions> decay{"constant"};

  void fields(Fields& f);
  // What the peak rate is multiplied by at `step`: min(1, step / T) * decay. Steps are counted from 1, so that the
  // first rate is 1/T of the peak and step T is the first at its full height (Vaswani et al. 2017, 5.3; Xiong et al.
  // 2020, 3.2). Error when step < 1.
  double factor(std::int64_t step, std::int64_t total_steps) const;
};

}  // namespace normlab

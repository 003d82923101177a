// The decays, and their product with the ramp. A new decay is a class and a line in registered().
#include "schedule.h"

#include <algorithm>
#include <cmath>

namespace normlab {
namespace {

class ConstantDecay : public DecayOptions {
 public:
  void fields(Fields&) override {}
  double factor(std::int64_t, std::int64_t, std::int64_t) const override { return 1; }
};

// Devlin et al. 2019 and the RAdam runs of Liu et al. 2020.
class LinearDecay : public DecayOptions {
 public:
  void fields(Fields& f) override {
    f.real("final_factor", final_factor_, {.at_least = 0, .at_most = 1}, "factor at the last step of training");
    f.integer("hold_steps", hold_steps_, {.at_least = -1, .at_most = kMostSteps},
              "steps before the fall begins; -1 for warmup_steps");
  }
  void settle(Fields&, std::int64_t warmup_steps) override {
    if (hold_steps_ < 0) hold_steps_ = warmup_steps;
  }
  double factor(std::int64_t step, std::int64_t warmup_steps, std::int64_t total_steps) const override {
    const std::int64_t hold = hold_steps_ < 0 ? warmup_steps : hold_steps_;
    if (step <= hold) return 1;
    if (step >= total_steps) return final_factor_;
    return 1 - (1 - final_factor_) * static_cast<double>(step - hold) / static_cast<double>(total_steps - hold);
  }

 private:
  double final_factor_ = 0;
  std::int64_t hold_steps_ = -1;
};

// Vaswani et al. 2017, equation 3, with its two roles of warmup_steps taken apart.
class InverseSqrtDecay : public DecayOptions {
 public:
  void fields(Fields& f) override {
    f.integer("decay_steps", decay_steps_, {.at_least = 0, .at_most = kMostSteps},
              "D in the factor min(1, sqrt(D / step)): the last step at full height; 0 for warmup_steps");
  }
  void settle(Fields& f, std::int64_t warmup_steps) override {
    if (decay_steps_ == 0) decay_steps_ = warmup_steps;
    f.require(decay_steps_ > 0, "decay",
              "inverse_sqrt: without a ramp (warmup_steps 0) decay_steps must be given; the number of steps the ramp "
              "would have had keeps the decay as it was, 1 lets the rate fall from the first step on");
  }
  double factor(std::int64_t step, std::int64_t warmup_steps, std::int64_t) const override {
    const std::int64_t decay_steps = decay_steps_ == 0 ? std::max<std::int64_t>(1, warmup_steps) : decay_steps_;
    return step <= decay_steps ? 1 : std::sqrt(static_cast<double>(decay_steps) / static_cast<double>(step));
  }

 private:
  std::int64_t decay_steps_ = 0;
};

// Xiong et al. 2020 train Pre-LN at the full rate and take a tenth of it from epoch 8 on.
class StepDecay : public DecayOptions {
 public:
  void fields(Fields& f) override {
    f.integers("at", at_, {.at_least = 1, .at_most = kMostSteps}, "the last step before each fall");
    f.require(!at_.empty(), "at", "steps: at least one step must be given, got []");
    f.real("by", by_, {.above = 0, .below = 1}, "what each fall multiplies the rate by");
  }
  double factor(std::int64_t step, std::int64_t, std::int64_t) const override {
    const auto falls = std::count_if(at_.begin(), at_.end(), [step](std::int64_t last) { return last < step; });
    return std::pow(by_, static_cast<double>(falls));
  }

 private:
  std::vector<std::int64_t> at_;
  double by_ = 0.1;
};

}  // namespace

const std::vector<Registered<DecayOptions>>& registered(const DecayOptions*) {
  static const std::vector<Registered<DecayOptions>> all = {
      kind<DecayOptions, ConstantDecay>("constant", "no decay"),
      kind<DecayOptions, LinearDecay>("linear", "a straight line down to the end of training"),
      kind<DecayOptions, InverseSqrtDecay>("inverse_sqrt", "falls as 1 / sqrt(step)"),
      kind<DecayOptions, StepDecay>("steps", "falls at given steps and stays between them"),
  };
  return all;
}

void ScheduleConfig::fields(Fields& f) {
  f.integer("warmup_steps", warmup_steps, {.at_least = 0, .at_most = kMostSteps},
            "length of the ramp from 0 to the full rate in steps; 0 for none");
  decay.fields(f, "decay", "how the rate falls");
  decay->settle(f, warmup_steps);
}

double ScheduleConfig::factor(std::int64_t step, std::int64_t total_steps) const {
  check(step >= 1, "schedule: steps are counted from 1, got ", step);
  const double ramp = step < warmup_steps ? static_cast<double>(step) / static_cast<double>(warmup_steps) : 1;
  return ramp * decay->factor(step, warmup_steps, total_steps);
}

}  // namespace normlab

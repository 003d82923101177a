// RAdam: Adam whose first updates are small, as long as the running mean of squares is worth few gradients.
//
//   rho_inf = 2 / (1 - beta2) - 1
//   rho_t   = rho_inf - 2 t beta2^t / (1 - beta2^t)
//   r_t     = sqrt((rho_t - 4) (rho_t - 2) rho_inf / ((rho_inf - 4) (rho_inf - 2) rho_t))
//   p      <- p - rate * r_t * m^ * sqrt(1 - beta2^t) / (sqrt(v) + epsilon)    where rho_t > threshold
//   p      <- p - rate * m^   (momentum)   or   p <- p   (skip)                elsewhere
//
// m^ = m / (1 - beta1^t). Liu et al. 2020, algorithm 2, whose threshold is 4 and whose other rule is momentum. Their
// code has 5, which spares the first r_t, tiny and roughly known, and it can skip. It also has the epsilon that the
// algorithm lacks, and adds it before the correction (Adam's stands after it). Little hangs on the rule: rho_5 is 4.92
// at beta2 0.98 and 4.996 at 0.999, so it is over after 4 or 5 steps. r_t passes 0.9 at step 140 and at step 2737.
#include "radam.h"

#include <cmath>
#include <limits>

namespace normlab {
namespace {

class RAdam : public Adam {
 public:
  RAdam(const std::vector<Named>& parameters, const RAdamOptions& options)
      : Adam(parameters, options, std::vector<double>(parameters.size(), 0.0)),
        threshold_(options.threshold),
        skips_(options.below == RAdamOptions::Below::skip) {}

 private:
  Update update(double t) const override {
    const double corrected_mean = 1 / (1 - std::pow(options_.beta1, t));
    const double rho = averaging_length(options_.beta2, t);
    if (rho > threshold_) {
      const double root = 1 / std::sqrt(1 - std::pow(options_.beta2, t));
      return {corrected_mean * rectification(options_.beta2, rho), root, options_.epsilon * root};
    }
    return {skips_ ? 0 : corrected_mean, 0, 1};  // m over 0 * sqrt(v) + 1
  }

  const double threshold_;
  const bool skips_;
};

}  // namespace

double averaging_length(double beta2, double t) {
  const double power = std::pow(beta2, t);
  const double lost = power == 0 ? 0 : 2 * t * power / (1 - power);
  return 2 / (1 - beta2) - 1 - lost;
}

double rectification(double beta2, double rho) {
  check(rho > 4, "radam: the averaging length must be above 4, got ", rho);
  const double most = averaging_length(beta2, std::numeric_limits<double>::infinity());
  return std::sqrt((rho - 4) / (most - 4) * (rho - 2) / (most - 2) * most / rho);
}

void RAdamOptions::fields(Fields& f) {
  AdamOptions::fields(f);
  f.real("threshold", threshold, {.at_least = 4},
         "averaging length rho_t of the mean square above which updates are rectified: 4 in the paper, 5 in its code");
  choice<Below>(f, "below", below, {{Below::momentum, "momentum"}, {Below::skip, "skip"}},
                "up to the threshold: follow the mean gradient, or leave the parameters as they are");
}

std::unique_ptr<Optimizer> RAdamOptions::make(const std::vector<Named>& parameters) const {
  return std::make_unique<RAdam>(parameters, *this);
}

}  // namespace normlab

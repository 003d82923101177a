// Power normalization, feature by feature; update t is that of one ghost batch, i its N rows that count.
//
//   psi_B^2 = sum(x_i^2) / N
//   d   = psi_B in the warm-up, psi^(t-1) after it                   psi is sqrt(psi^2 + epsilon) throughout
//   n_i = x_i / d
//   y_i = weight * n_i + bias
//   (psi^(t))^2 = alpha_forward * (psi^(t-1))^2 + (1 - alpha_forward) * psi_B^2
//
//   g_i    = dy_i * weight
//   dx_i   = (g_i - nu^(t-1) * n_i) / d,     or divided by psi_B
//   Gamma  = sum(n_i^2) / N,   Lambda = sum(g_i * n_i) / N
//   nu^(t) = nu^(t-1) * (1 - (1 - alpha_backward) * Gamma) + (1 - alpha_backward) * Lambda
//   dweight = sum(dy_i * n_i),   dbias = sum(dy_i)
//
// dx is not the derivative of y: nu stands for the gradient through the running second moment, which reaches back
// through all earlier batches (Shen et al. 2020, algorithm 2, which prints 1 / weight for weight). nu stays bounded
// only while Gamma < 2 / (1 - alpha_backward). A row that does not count is normalized along, with dx_i = g_i / d (or /
// psi_B), and adds to nothing but dweight, dbias and Lambda.
#include "power_norm.h"

#include <optional>

#include "../tape.h"
#include "columns.h"

namespace normlab {
namespace {

bool in_warmup(const PowerRule& rule, Index update) { return update <= rule.warmup_steps; }

// Running psi^2 after update t, the batch's own being `batch`.
void update_second_moment(const PowerRule& rule, Index t, const double* batch, Index features, double* running) {
  const bool average = rule.average_in_warmup && t < rule.warmup_steps;
  const auto count = static_cast<double>(t);
  for (Index j = 0; j < features; ++j) {
    if (average) running[j] = running[j] * (count - 1) / count + batch[j] / count;
    running[j] = rule.alpha_forward * running[j] + (1 - rule.alpha_forward) * batch[j];
  }
}

void update_nu(const PowerRule& rule, const double* gamma, const double* lambda, Index features, double* nu) {
  const double share = 1 - rule.alpha_backward;
  for (Index j = 0; j < features; ++j) nu[j] = nu[j] * (1 - share * gamma[j]) + share * lambda[j];
}

}  // namespace

PowerNormalized power_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Rows& rows,
                           Index statistics_tokens, const PowerRule& rule, const PowerState& state) {
  check_columns("power_norm", x, weight, bias, rows);
  const Index features = x.columns();
  check(holds_features(state.second_moment, features) && holds_features(state.nu, features),
        "power_norm: the state's second_moment and nu must be f64 [", features, "] for x of shape ", x.shape(),
        ", got ", state.second_moment.dtype(), " ", state.second_moment.shape(), " and ", state.nu.dtype(), " ",
        state.nu.shape());
  const auto ghosts = ghost_batches(rows, statistics_tokens);
  const Shape per_ghost{static_cast<Index>(ghosts.size()), features};
  const auto seen = std::make_shared<PowerStatistics>();
  seen->second_moment = Tensor::zeros(per_ghost, Dtype::f64);
  seen->gamma = Tensor::zeros(per_ghost, Dtype::f64);
  Tensor rate = Tensor::zeros(per_ghost, Dtype::f64);  // 1 / d
  Tensor running = state.second_moment.clone();
  Tensor y = empty_like(x);
  for (std::size_t k = 0; k < ghosts.size(); ++k) {
    const Columns at{x, rows, ghosts[k]};
    const Index t = state.updates + 1 + static_cast<Index>(k);
    double* batch = row_at(seen->second_moment, k);
    double* r = row_at(rate, k);
    if (in_warmup(rule, t)) {
      measure_columns("power_norm", at, batch);
      rate_of("power_norm", batch, features, rule.epsilon, r);
      normalize_columns("power_norm", at, {nullptr, r}, weight, bias, &y);
    } else {
      rate_of("power_norm", running.data<double>(), features, rule.epsilon, r);
      normalize_columns("power_norm", at, {nullptr, r}, weight, bias, &y, batch);
    }
    for (Index j = 0; j < features; ++j) row_at(seen->gamma, k)[j] = batch[j] * r[j] * r[j];
    update_second_moment(rule, t, batch, features, running.data<double>());
  }

  const auto backward = [x = x.detach(), w = weight.detach(), rows, ghosts, rule, seen, rate, nu = state.nu.clone()](
                            const Tensor& dy, Gradients& into) mutable {
    const Index width = x.columns();
    const Tensor w64 = w.cast(Dtype::f64);
    seen->lambda = zeros_like(rate);
    Tensor sums = Tensor::zeros({2, width}, Dtype::f64), factors = Tensor::zeros({2, width}, Dtype::f64);
    Tensor divided_by = Tensor::zeros({width}, Dtype::f64);  // 1 / what backward divides by
    const GradientSums sum{row_at(sums, 0), row_at(sums, 1)};
    double* a = row_at(factors, 0);
    double* b = row_at(factors, 1);
    std::optional<Gradients::Target> dx;
    if (into.wants(0)) dx.emplace(into.target(0));
    for (std::size_t k = 0; k < ghosts.size(); ++k) {
      const double* r = row_at(rate, k);
      if (rule.divide_by_batch) {
        rate_of("power_norm", row_at(seen->second_moment, k), width, rule.epsilon, divided_by.data<double>());
        r = divided_by.data<double>();
      }
      for (Index j = 0; j < width; ++j) {
        a[j] = w64.data<double>()[j] * r[j];
        b[j] = -nu.data<double>()[j] * r[j];
      }
      gradient_columns("power_norm", {x, rows, ghosts[k]}, dy, {nullptr, row_at(rate, k)}, {.a = a, .b = b},
                       dx ? &dx->gradient : nullptr, dx && dx->accumulate, sum);
      add_sums(into, 1, sum.dyn);
      add_sums(into, 2, sum.dy);
      double* lambda = row_at(seen->lambda, k);
      for (Index j = 0; j < width; ++j) {
        lambda[j] = w64.data<double>()[j] * sum.dyn[j] / static_cast<double>(ghosts[k].counted);
      }
      update_nu(rule, row_at(seen->gamma, k), lambda, width, nu.data<double>());
    }
  };
  const Remake remake = remake_columns("power_norm", x, rows, ghosts, Tensor(), rate, weight, bias);
  return {record("power_norm", {&x, &weight, &bias}, y, backward, Kept(remake)), seen};
}

void update(PowerState& state, const PowerRule& rule, const PowerStatistics& seen) {
  const Index features = seen.second_moment.columns();
  check(holds_features(state.second_moment, features) && holds_features(state.nu, features),
        "power_norm: the state must be of the features that were seen, ", features, ", got ",
        state.second_moment.shape(), " and ", state.nu.shape());
  for (Index k = 0; k < seen.second_moment.rows(); ++k) {
    update_second_moment(rule, ++state.updates, seen.second_moment.data<double>() + k * features, features,
                         state.second_moment.data<double>());
    if (!seen.lambda.defined()) continue;
    update_nu(rule, seen.gamma.data<double>() + k * features, seen.lambda.data<double>() + k * features, features,
              state.nu.data<double>());
  }
}

}  // namespace normlab

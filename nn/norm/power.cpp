// Power normalization: see the header; the rule and its gradient stand in engine/ops/power_norm.cpp.
#include "power.h"

#include "../../engine/ops/batch_norm.h"
#include "measure.h"

namespace normlab {

PowerNorm::PowerNorm(const Init& init, Index features, const PowerRule& rule, Index statistics_tokens)
    : Norm(init),
      rule_(rule),
      statistics_tokens_(statistics_tokens),
      weight_(parameter("weight", {features}, constant(1))),
      bias_(parameter("bias", {features}, constant(0))),
      running_second_moment_(buffer("running_second_moment", {features}, 1)),
      nu_(buffer("nu", {features}, 0)),
      updates_(buffer("updates", {}, 0)) {}

PowerState PowerNorm::state() const {
  return {in_f64(running_second_moment_), in_f64(nu_), static_cast<Index>(updates_.item())};
}

Tensor PowerNorm::forward(const Tensor& x, const Rows& rows, const Pass& pass) {
  return output([&] {
    if (pass.training) {
      const PowerNormalized normalized = power_norm(x, weight_, bias_, rows, statistics_tokens_, rule_, state());
      pending_[pass.micro_batch] = normalized.statistics;
      return normalized.y;
    }
    if (pass.batch_statistics) return power_norm_v(x, weight_, bias_, rows, statistics_tokens_, rule_.epsilon).y;
    return fixed_norm(x, weight_, bias_, Tensor(), in_f64(running_second_moment_), rule_.epsilon);
  });
}

Norm::Passes PowerNorm::passes() const {
  const bool warming = updates_.item() < static_cast<double>(rule_.warmup_steps);
  return {warming ? 3 : 2, 3};  // after the warm-up the divisor is known before x is read
}

void PowerNorm::commit_own() {
  if (pending_.empty()) return;
  PowerState next = state();
  for (const auto& [micro_batch, seen] : pending_) update(next, rule_, *seen);
  running_second_moment_.copy_from(next.second_moment.cast(running_second_moment_.dtype()));
  nu_.copy_from(next.nu.cast(nu_.dtype()));
  updates_.fill(static_cast<double>(next.updates));
  pending_.clear();
}

std::optional<Norm::Affine> PowerNorm::affine() const {
  return affine_of(weight_, bias_, Tensor(), in_f64(running_second_moment_), rule_.epsilon);
}

std::vector<Norm::Measure> PowerNorm::measures() const {
  const PowerState running = state();
  const Tensor weight = in_f64(weight_);
  Measures measures;
  for (const auto& [micro_batch, seen] : pending_) {
    for (Index ghost = 0; ghost < seen->second_moment.rows(); ++ghost) {
      const auto rate = inverse_roots(row_values(running.second_moment, 0), rule_.epsilon);
      measures.moment_distances("second_moment", row_values(seen->second_moment, ghost), running.second_moment);
      measures.weight_over_deviation("weight_over_psi", weight, rate);
      measures.gamma(row_values(seen->gamma, ghost), 2 / (1 - rule_.alpha_backward));
      measures.length("nu_norm", row_values(running.nu, 0));
    }
  }
  return measures.list();
}

PowerRule PowerNormOptions::rule_of(Mode mode) {
  PowerRule rule;
  if (mode == Mode::reference) {
    rule.warmup_steps = 10000;
    rule.average_in_warmup = true;
    rule.divide_by_batch = true;
  }
  return rule;
}

void PowerNormOptions::fields(Fields& f) {
  const Mode before = mode;
  choice(f, "mode", mode, {{Mode::paper, "paper"}, {Mode::reference, "reference"}},
         "what the options below start from: the paper's algorithm 2, or its authors' code");
  if (mode != before) rule = rule_of(mode);
  f.real("alpha_forward", rule.alpha_forward, {.at_least = 0, .below = 1},
         "share of the old running second moment that stays in each update");
  f.real("alpha_backward", rule.alpha_backward, {.at_least = 0, .below = 1}, "the same of nu");
  constexpr double kMostUpdates = 1 << 24;  // which a buffer in f32 counts to
  f.integer("warmup_steps", rule.warmup_steps, {.at_least = 0, .at_most = kMostUpdates},
            "updates in which forward divides by the batch's own second moment");
  f.boolean("average_in_warmup", rule.average_in_warmup,
            "in the warm-up the running second moment first becomes the mean of all so far");
  bool batch = rule.divide_by_batch;
  choice<bool>(f, "backward_divisor", batch, {{false, "forward"}, {true, "batch"}},
               "backward divides by what forward divided by, or by the batch's own root mean square");
  rule.divide_by_batch = batch;
  f.real("epsilon", rule.epsilon, {.at_least = 0}, "added to the second moment, inside the root");
  statistics_tokens_field(f, statistics_tokens);
}

std::unique_ptr<Norm> PowerNormOptions::make(const Init& init, Index features) const {
  return std::make_unique<PowerNorm>(init, features, rule, statistics_tokens);
}

}  // namespace normlab

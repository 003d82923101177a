// Batch normalization: see the header; the formula and its gradient stand in engine/ops/batch_norm.cpp.
#include "batch.h"

#include <cmath>

#include "../../engine/ops/statistics_penalty.h"
#include "measure.h"

namespace normlab {

BatchNorm::BatchNorm(const Init& init, Index features, const BatchNormSettings& settings, About about)
    : Norm(init),
      settings_(settings),
      weight_(parameter("weight", {features}, constant(1))),
      bias_(parameter("bias", {features}, constant(0))),
      running_mean_(about == About::mean ? buffer("running_mean", {features}, 0) : Tensor()),
      running_variance_(buffer(about == About::mean ? "running_variance" : "running_second_moment", {features}, 1)) {}

Tensor BatchNorm::forward(const Tensor& x, const Rows& rows, const Pass& pass) {
  return output([&] {
    if (pass.training || pass.batch_statistics) return batch_forward(x, rows, pass);
    return fixed_norm(x, weight_, bias_, in_f64(running_mean_), in_f64(running_variance_), settings_.epsilon);
  });
}

Tensor BatchNorm::batch_forward(const Tensor& x, const Rows& rows, const Pass& pass) {
  const auto op = running_mean_.defined() ? batch_norm : power_norm_v;
  const BatchNormalized normalized = op(x, weight_, bias_, rows, settings_.statistics_tokens, settings_.epsilon);
  if (!pass.training) return normalized.y;
  pending_[pass.micro_batch] = normalized.statistics;
  if (pass.penalties && (settings_.mean_penalty > 0 || settings_.variance_penalty > 0)) {
    pass.penalties->push_back(statistics_penalty(x, rows, settings_.statistics_tokens, in_f64(running_mean_),
                                                 in_f64(running_variance_), settings_.mean_penalty,
                                                 settings_.variance_penalty));
  }
  return normalized.y;
}

void BatchNorm::commit_own() {
  const auto move = [&](Tensor& running, const Tensor& seen, Index ghost) {
    for (Index j = 0; j < running.size(); ++j) {
      const double old = running.at(j), fresh = seen.at(ghost * running.size() + j);
      running.set(j, old + settings_.momentum * (fresh - old));
    }
  };
  for (const auto& [micro_batch, seen] : pending_) {
    for (Index ghost = 0; ghost < seen->variance.rows(); ++ghost) {
      if (running_mean_.defined()) move(running_mean_, seen->mean, ghost);
      move(running_variance_, seen->variance, ghost);
    }
  }
  pending_.clear();
}

std::optional<Norm::Affine> BatchNorm::affine() const {
  return affine_of(weight_, bias_, in_f64(running_mean_), in_f64(running_variance_), settings_.epsilon);
}

std::vector<Norm::Measure> BatchNorm::measures() const {
  const bool centered = running_mean_.defined();
  const Tensor mean = in_f64(running_mean_), variance = in_f64(running_variance_), weight = in_f64(weight_);
  Measures measures;
  for (const auto& [micro_batch, seen] : pending_) {
    for (Index ghost = 0; ghost < seen->variance.rows(); ++ghost) {
      const auto batch = row_values(seen->variance, ghost);
      const auto rate = inverse_roots(batch, settings_.epsilon);
      if (centered) measures.mean_distances(row_values(seen->mean, ghost), mean, variance);
      measures.moment_distances(centered ? "variance" : "second_moment", batch, variance);
      measures.weight_over_deviation(centered ? "weight_over_sigma" : "weight_over_psi", weight, rate);
      if (!seen->mean_gn.defined()) continue;
      if (centered) measures.gradient_term("mean_gradient_term", row_values(seen->mean_g, ghost), rate);
      // n itself has the second moment variance / (variance + epsilon)
      std::vector<double> scaled = row_values(seen->mean_gn, ghost);
      for (std::size_t j = 0; j < scaled.size(); ++j) scaled[j] *= std::sqrt(batch[j]) * rate[j];
      measures.gradient_term(centered ? "variance_gradient_term" : "second_moment_gradient_term", scaled, rate);
    }
  }
  return measures.list();
}

void batch_statistics_fields(Fields& f, BatchNormSettings& settings) {
  f.real("momentum", settings.momentum, {.above = 0, .at_most = 1},
         "share of the batch's statistics in each update of the running ones; 1 - momentum is the papers' alpha");
  f.real("epsilon", settings.epsilon, {.at_least = 0}, "added to the variance, inside the root");
  statistics_tokens_field(f, settings.statistics_tokens);
}

void BatchNormOptions::fields(Fields& f) {
  batch_statistics_fields(f, settings);
  f.real("mean_penalty", settings.mean_penalty, {.at_least = 0},
         "Regularized BatchNorm: added to the summed loss of a batch for each squared distance of batch from running "
         "mean");
  f.real("variance_penalty", settings.variance_penalty, {.at_least = 0},
         "the same for each absolute distance of batch from running variance");
}

std::unique_ptr<Norm> BatchNormOptions::make(const Init& init, Index features) const {
  return std::make_unique<BatchNorm>(init, features, settings);
}

}  // namespace normlab

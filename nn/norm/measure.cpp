// Measures of norms with running statistics: see the header.
#include "measure.h"

#include <algorithm>
#include <cmath>

namespace normlab {
namespace {

double length_of(const std::vector<double>& values) {
  double squares = 0;
  for (double value : values) squares += value * value;
  return std::sqrt(squares);
}

std::vector<double> difference(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> result(a.size());
  for (std::size_t j = 0; j < a.size(); ++j) result[j] = a[j] - b[j];
  return result;
}

std::vector<double> roots(std::vector<double> values) {
  for (double& value : values) value = std::sqrt(value);
  return values;
}

}  // namespace

void statistics_tokens_field(Fields& f, std::int64_t& statistics_tokens) {
  f.integer("statistics_tokens", statistics_tokens, {.at_least = 0, .at_most = kMostSteps},
            "most tokens that share batch statistics: a larger micro-batch is cut into ghost batches; 0 for all");
}

Tensor in_f64(const Tensor& x) { return x.defined() ? x.cast(Dtype::f64) : Tensor(); }

std::vector<double> row_values(const Tensor& x, Index row) {
  const double* first = x.data<double>() + row * x.columns();
  return {first, first + x.columns()};
}

std::vector<double> inverse_roots(const std::vector<double>& variance, double epsilon) {
  std::vector<double> rate(variance.size());
  for (std::size_t j = 0; j < rate.size(); ++j) rate[j] = 1 / std::sqrt(variance[j] + epsilon);
  return rate;
}

Norm::Affine affine_of(const Tensor& weight, const Tensor& bias, const Tensor& mean, const Tensor& variance,
                       double epsilon) {
  Norm::Affine affine{in_f64(weight), in_f64(bias)};
  for (Index j = 0; j < weight.size(); ++j) {
    affine.scale.set(j, weight.at(j) / std::sqrt(variance.at(j) + epsilon));
    if (mean.defined()) affine.shift.set(j, bias.at(j) - mean.at(j) * affine.scale.at(j));
  }
  return affine;
}

void Measures::mean_distances(const std::vector<double>& batch, const Tensor& running, const Tensor& variance) {
  const double distance = length_of(difference(batch, row_values(running, 0)));
  add("mean_distance", distance / static_cast<double>(batch.size()));
  add("mean_distance_relative", distance / length_of(roots(row_values(variance, 0))));
}

void Measures::moment_distances(const std::string& name, const std::vector<double>& batch, const Tensor& running) {
  const std::vector<double> old = row_values(running, 0);
  add(name + "_distance", length_of(difference(batch, old)) / static_cast<double>(batch.size()));
  add(name + "_distance_relative", length_of(difference(roots(batch), roots(old))) / length_of(roots(old)));
}

void Measures::gradient_term(const std::string& name, const std::vector<double>& term,
                             const std::vector<double>& rate) {
  std::vector<double> scaled(term.size());
  for (std::size_t j = 0; j < term.size(); ++j) scaled[j] = term[j] * rate[j];
  add(name, length_of(scaled) / static_cast<double>(term.size()));
}

void Measures::weight_over_deviation(const std::string& name, const Tensor& weight, const std::vector<double>& rate) {
  std::vector<double> ratio = row_values(weight, 0);
  for (std::size_t j = 0; j < ratio.size(); ++j) ratio[j] = std::abs(ratio[j]) * rate[j];
  mean_and_largest(name, ratio);
}

void Measures::mean_and_largest(const std::string& name, const std::vector<double>& values) {
  double sum = 0;
  for (double value : values) sum += value;
  add(name + "_mean", sum / static_cast<double>(values.size()));
  add(name + "_largest", *std::max_element(values.begin(), values.end()), true);
}

void Measures::gamma(const std::vector<double>& values, double bound) {
  mean_and_largest("gamma", values);
  const auto largest = std::max_element(values.begin(), values.end());
  add("gamma_over_bound", *largest / bound, true);
  add("gamma_largest_feature", static_cast<double>(largest - values.begin()));
}

void Measures::length(const std::string& name, const std::vector<double>& values) { add(name, length_of(values)); }

void Measures::add(const std::string& name, double value, bool largest) {
  for (std::size_t i = 0; i < list_.size(); ++i) {
    Norm::Measure& known = list_[i];
    if (known.quantity != name) continue;
    counts_[i] += 1;
    known.value = largest ? std::max(known.value, value) : known.value + (value - known.value) / counts_[i];
    return;
  }
  list_.push_back({name, value, largest});
  counts_.push_back(1);
}

}  // namespace normlab

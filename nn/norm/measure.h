// What the norms with running statistics share: settings, the evaluation as scale and shift, and numbers for probes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "norm.h"

namespace normlab {

void statistics_tokens_field(Fields& f, std::int64_t& statistics_tokens);

Tensor in_f64(const Tensor& x);                              // a copy; undefined if x is
std::vector<double> row_values(const Tensor& x, Index row);  // of a matrix or a vector in f64
std::vector<double> inverse_roots(const std::vector<double>& variance, double epsilon);  // 1 / sqrt(variance + epsilon)

// scale = weight / sqrt(variance + epsilon), shift = bias - mean * scale; an undefined mean is zero.
Norm::Affine affine_of(const Tensor& weight, const Tensor& bias, const Tensor& mean, const Tensor& variance,
                       double epsilon);

// Collects measures of several ghost batches and joins those of one name: the mean, or the largest. d is the number of
// features, a length ‖·‖ is over them.
class Measures {
 public:
  // mean_distance = ‖batch - running‖ / d (Shen et al. 2020, figure 2), and scale-free mean_distance_relative =
  // ‖batch - running‖ / ‖sigma‖ (Wang et al. 2022, "mean TID"), sigma^2 the running variance.
  void mean_distances(const std::vector<double>& batch, const Tensor& running, const Tensor& variance);
  // The same of a variance or second moment: NAME_distance = ‖batch - running‖ / d, and NAME_distance_relative =
  // ‖sqrt(batch) - sqrt(running)‖ / ‖sqrt(running)‖ ("var TID").
  void moment_distances(const std::string& name, const std::vector<double>& batch, const Tensor& running);
  // ‖rate * term‖ / d: root mean square over rows of that term of dx (Shen et al. 2020, figure 3).
  void gradient_term(const std::string& name, const std::vector<double>& term, const std::vector<double>& rate);
  // NAME_mean and NAME_largest of |weight| * rate over features (figure 7).
  void weight_over_deviation(const std::string& name, const Tensor& weight, const std::vector<double>& rate);
  // gamma_mean, gamma_largest, and gamma_over_bound, the largest over the bound under which nu is stable. Of the
  // largest gamma_largest_feature is the feature, counted from 0; of several ghost batches or micro-batches it tells
  // nothing.
  void gamma(const std::vector<double>& values, double bound);
  void length(const std::string& name, const std::vector<double>& values);

  const std::vector<Norm::Measure>& list() const { return list_; }

 private:
  void mean_and_largest(const std::string& name, const std::vector<double>& values);
  void add(const std::string& name, double value, bool largest = false);
  std::vector<Norm::Measure> list_;
  std::vector<double> counts_;
};

}  // namespace normlab

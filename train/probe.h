// Probes: norms of activations, of their gradients, of weights and of weight gradients, by site, at chosen steps. A
// probe only looks on: not one bit of training changes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "../engine/tape.h"
#include "../nn/norm/norm.h"
#include "config.h"

namespace normlab {

// One step's worth of observations, over all its micro-batches. Give it to each Tape of the step, then ask for the
// records.
//   activation_norm           root mean square over tokens of the length ‖x_t‖ of the site's vector
//   activation_gradient_norm  ‖dL/dx‖ (Frobenius) over all tokens of the step; L is the step's mean loss per token
//   weight_norm               ‖W‖ (Frobenius) before the update
//   weight_gradient_norm      ‖dL/dW‖ (Frobenius) of the whole step, before clipping
//   norm_statistics           what each norm tells by Norm::measures(), under its names: the mean over the step's
//                             micro-batches, or the largest
class Probe final : public Observer {
 public:
  explicit Probe(const ProbesConfig& config) : config_(config) {}
  void value(const std::string& site, const Tensor& value) override;
  void gradient(const std::string& site, const Tensor& gradient) override;
  // After a backward, before the norms' statistics are committed.
  void statistics(const Module& model);
  // After the last backward of the step, before the update.
  void weights(const std::vector<Named>& parameters);

  struct Record {
    std::string site, quantity;
    double value;
  };
  // By quantity, then in the order in which sites were first seen; norms' statistics come last.
  std::vector<Record> records() const;

 private:
  struct Sum {
    double squares = 0;
    double rows = 0;
  };
  struct Statistic {
    std::string site;
    Norm::Measure measure;
    double count = 1;
  };
  bool wants(const std::string& site, const char* quantity);
  Sum& at(const char* quantity, const std::string& site);

  const ProbesConfig& config_;
  std::map<std::string, std::vector<std::pair<std::string, Sum>>> sums_;  // by quantity, sites in order
  std::vector<Statistic> statistics_;
  std::map<std::string, bool> matched_;
};

}  // namespace normlab

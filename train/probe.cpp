// Probes: sums of squares by site.
#include "probe.h"

#include <algorithm>
#include <cmath>

#include "../engine/ops/reduce.h"
#include "glob.h"

namespace normlab {
namespace {

const std::vector<std::string> kQuantities = {"activation_norm", "activation_gradient_norm", "weight_norm",
                                              "weight_gradient_norm"};

double squares(const Tensor& x) { return sum_of_squares(x.detach()).item(); }

}  // namespace

bool Probe::wants(const std::string& site, const char* quantity) {
  if (std::find(config_.quantities.begin(), config_.quantities.end(), quantity) == config_.quantities.end())
    return false;
  const auto [entry, added] = matched_.emplace(site, false);
  if (added) {
    entry->second = std::any_of(config_.sites.begin(), config_.sites.end(),
                                [&](const std::string& pattern) { return glob_match(pattern, site); });
  }
  return entry->second;
}

Probe::Sum& Probe::at(const char* quantity, const std::string& site) {
  auto& sites = sums_[quantity];
  const auto found = std::find_if(sites.begin(), sites.end(), [&](const auto& entry) { return entry.first == site; });
  if (found != sites.end()) return found->second;
  return sites.emplace_back(site, Sum{}).second;
}

void Probe::value(const std::string& site, const Tensor& value) {
  if (!wants(site, "activation_norm")) return;
  Sum& sum = at("activation_norm", site);
  sum.squares += squares(value);
  sum.rows += static_cast<double>(value.rows());
}

void Probe::gradient(const std::string& site, const Tensor& gradient) {
  if (wants(site, "activation_gradient_norm")) at("activation_gradient_norm", site).squares += squares(gradient);
}

void Probe::statistics(const Module& model) {
  for (const Module* module : model.modules()) {
    const auto* norm = dynamic_cast<const Norm*>(module);
    if (!norm || !wants(norm->path(), "norm_statistics")) continue;
    for (const Norm::Measure& seen : norm->measures()) {
      const auto known = std::find_if(statistics_.begin(), statistics_.end(), [&](const Statistic& s) {
        return s.site == norm->path() && s.measure.quantity == seen.quantity;
      });
      if (known == statistics_.end()) {
        statistics_.push_back({norm->path(), seen, 1});
        continue;
      }
      double& value = known->measure.value;
      known->count += 1;
      value = seen.largest ? std::max(value, seen.value) : value + (seen.value - value) / known->count;
    }
  }
}

void Probe::weights(const std::vector<Named>& parameters) {
  for (const Named& parameter : parameters) {
    if (wants(parameter.path, "weight_norm")) at("weight_norm", parameter.path).squares = squares(parameter.tensor);
    if (wants(parameter.path, "weight_gradient_norm")) {
      at("weight_gradient_norm", parameter.path).squares = squares(parameter.tensor.gradient());
    }
  }
}

std::vector<Probe::Record> Probe::records() const {
  std::vector<Record> result;
  for (const std::string& quantity : kQuantities) {
    const auto sites = sums_.find(quantity);
    if (sites == sums_.end()) continue;
    for (const auto& [site, sum] : sites->second) {
      result.push_back({site, quantity, std::sqrt(sum.rows > 0 ? sum.squares / sum.rows : sum.squares)});
    }
  }
  for (const Statistic& s : statistics_) result.push_back({s.site, s.measure.quantity, s.measure.value});
  return result;
}

}  // namespace normlab

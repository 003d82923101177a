// Expected gradients: see the header.
#include "expected_gradients.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "../../engine/ops/elementwise.h"
#include "../../engine/ops/reduce.h"
#include "../experiment/statistics.h"
#include "../glob.h"

namespace normlab {
namespace {

// "decoder.layers.11.out" -> "decoder.", the path of the stack that the layer is of; nothing for any other site.
std::optional<std::string> stack_of_layer(const std::string& site) {
  const std::string name = "layers.";
  const auto at = site.rfind(name);
  if (at == std::string::npos || !site.ends_with(".out")) return std::nullopt;
  const std::string number = site.substr(at + name.size(), site.size() - at - name.size() - 4);
  const bool digits = !number.empty() && number.find_first_not_of("0123456789") == std::string::npos;
  return digits ? std::optional(site.substr(0, at)) : std::nullopt;
}

// Mean squares of what goes into each stack and comes out of its layers, over all batches.
class HiddenStates final : public Observer {
 public:
  void value(const std::string& site, const Tensor& x) override {
    if (site != "input" && !site.ends_with(".input") && !stack_of_layer(site)) return;
    auto found = std::find_if(states_.begin(), states_.end(), [&](const State& s) { return s.site == site; });
    if (found == states_.end()) found = states_.insert(found, {site});
    found->squares += sum_of_squares(x.detach()).item();
    found->count += static_cast<double>(x.size());
  }

  void report(std::vector<Measurement>& found) const {
    const auto of_site = [&](const char* quantity, auto value) {
      for (const State& s : states_) found.push_back({.quantity = quantity, .site = s.site, .value = value(s)});
    };
    of_site("hidden", [](const State& s) { return s.mean_square(); });
    of_site("hidden_inverse_rms", [](const State& s) { return 1 / std::sqrt(s.mean_square()); });
    for (const State& input : states_) {
      if (stack_of_layer(input.site)) continue;
      const std::string stack = input.site.substr(0, input.site.size() - std::string("input").size());
      double layers = 0, last = 0;
      for (const State& s : states_) {
        if (stack_of_layer(s.site) != stack) continue;
        ++layers;
        last = s.mean_square();
      }
      if (layers == 0) continue;
      found.push_back({.quantity = "hidden_growth",
                       .site = stack.empty() ? "" : stack.substr(0, stack.size() - 1),
                       .value = (last - input.mean_square()) / layers});
    }
  }

 private:
  struct State {
    std::string site;
    double squares = 0, count = 0;
    double mean_square() const { return squares / count; }
  };
  std::vector<State> states_;  // in the order in which they were first seen
};

}  // namespace

void GroupedGradient::add(std::size_t group, const Tensor& gradient, double tokens) {
  Tensor& sum = sums_[group];
  sum = sum.defined() ? normlab::add(sum, gradient) : gradient.clone();
  tokens_[group] += tokens;
}

GroupedGradient::Norms GroupedGradient::norms() const {
  const std::size_t groups = sums_.size();
  const auto inner_product = [](const Tensor& a, const Tensor& b) { return sum(multiply(a, b)).item(); };
  // Over pairs i < j that leave out one group, or none: sum of <s_i, s_j> over sum of tokens_i * tokens_j.
  std::vector<double> products(groups * groups);
  double squares = 0, tokens = 0;
  for (std::size_t i = 0; i < groups; ++i) {
    for (std::size_t j = i; j < groups; ++j) {
      products[i * groups + j] = inner_product(sums_[i], sums_[j]);
      squares += (i == j ? 1 : 2) * products[i * groups + j];
    }
    tokens += tokens_[i];
  }
  const auto norm_without = [&](std::size_t left_out) {
    double above = 0, below = 0;
    for (std::size_t i = 0; i < groups; ++i) {
      for (std::size_t j = i + 1; j < groups; ++j) {
        if (i == left_out || j == left_out) continue;
        above += products[i * groups + j];
        below += tokens_[i] * tokens_[j];
      }
    }
    return std::sqrt(std::max(0.0, above / below));
  };

  Norms result;
  result.expected = norm_without(groups);
  result.of_the_mean = std::sqrt(squares) / tokens;
  result.half_width = std::numeric_limits<double>::infinity();
  if (groups < 3) return result;
  // The jackknife (Efron & Stein 1981): variance = (k - 1) / k * sum of (norm without one - their mean)^2.
  std::vector<double> norms;
  for (std::size_t i = 0; i < groups; ++i) norms.push_back(norm_without(i));
  // mean_interval divides the same sum by k (k - 1), not by k / (k - 1).
  result.half_width = static_cast<double>(groups - 1) * mean_interval(norms).half_width;
  return result;
}

void ExpectedGradientsOptions::fields(Fields& f) {
  f.strings("sites", sites, "patterns of the paths of the weights; * stands for any characters");
  f.integer("groups", groups, {.at_least = 2, .at_most = 64}, "of batches, whose noise is independent");
  f.real("interval", interval, {.at_least = 0, .at_most = 1},
         "half-width of the 95 % interval, as a share of the value, that is narrow enough");
  f.integer("most_batches", most_batches, {.at_least = 2, .at_most = 1e9}, "that are averaged over");
  f.require(most_batches >= groups, "most_batches",
            text("must be at least one for each of the ", groups, " groups, got ", most_batches));
  f.real("label_smoothing", label_smoothing, {.at_least = 0, .below = 1},
         "share of the target's probability that is spread over the vocabulary");
}

std::vector<Measurement> ExpectedGradientsOptions::measure(const MeasuringContext& context) const {
  const std::vector<Named> parameters = context.task->model().parameters();
  std::vector<Named> chosen;
  for (const Named& parameter : parameters) {
    const auto matches = [&](const std::string& pattern) { return glob_match(pattern, parameter.path); };
    if (std::any_of(sites.begin(), sites.end(), matches)) chosen.push_back(parameter);
  }
  check(!chosen.empty(), "expected_gradients: sites must match a parameter, got none for ", sites.size(),
        " patterns, of parameters such as ", parameters.front().path);

  const Index epoch = context.task->data().batches_per_epoch();
  check(most_batches <= epoch, "expected_gradients: most_batches must be at most the ", epoch,
        " batches of an epoch, since what is seen twice has the same noise twice; got ", most_batches);

  const auto group_count = static_cast<std::size_t>(groups);
  std::vector<GroupedGradient> gradients(chosen.size(), GroupedGradient(group_count));
  std::vector<GroupedGradient::Norms> norms(chosen.size());
  HiddenStates states;
  double tokens = 0;
  Index batches = 0;
  const auto zero_all = [&] {
    for (const Named& parameter : parameters) parameter.tensor.gradient().fill(0);
  };
  zero_all();
  for (bool enough = false; !enough && batches + groups <= most_batches;) {
    for (std::size_t group = 0; group < group_count; ++group, ++batches) {
      const auto batch = context.task->training_batch(static_cast<std::uint64_t>(batches));
      const auto predicted = static_cast<double>(batch->predicted());
      {
        Tape tape(&states);
        // A divisor of 1: the sum over tokens.
        tape.backward(batch->loss({.batch_statistics = true}, label_smoothing, 1).loss);
      }
      for (std::size_t i = 0; i < chosen.size(); ++i) {
        gradients[i].add(group, chosen[i].tensor.gradient(), predicted);
      }
      zero_all();
      tokens += predicted;
      context.progress(batches + 1, most_batches, text(tokens, " tokens"));
    }
    enough = true;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      norms[i] = gradients[i].norms();
      enough = enough && norms[i].half_width <= interval * norms[i].expected;
    }
  }

  std::vector<Measurement> found;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const double error = std::isfinite(norms[i].half_width) ? norms[i].half_width : std::nan("");
    found.push_back({"expected_gradient_norm", chosen[i].path, norms[i].expected, error});
  }
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    found.push_back({.quantity = "mean_gradient_norm", .site = chosen[i].path, .value = norms[i].of_the_mean});
  }
  states.report(found);
  found.push_back({.quantity = "batches", .value = static_cast<double>(batches)});
  found.push_back({.quantity = "tokens", .value = tokens});
  return found;
}

}  // namespace normlab

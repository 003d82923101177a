// Choosing runs, sites and steps: from an operand to its numbers.
#include "operand.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "../glob.h"
#include "../problems.h"
#include "names.h"
#include "statistics.h"

namespace normlab {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool contains(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// --- runs ------------------------------------------------------------------------------------------------------------

// The final validation loss; infinite for a run that diverged.
double final_loss(const ObservedRun& run) {
  if (run.state == RunState::diverged) return kInfinity;
  if (std::isnan(run.result->final_nll)) throw Unmeasured(text("the run ", run.name, " has no validation loss"));
  return run.result->final_nll;
}

// Of runs that differ in these axes those of the arms with the lowest mean final loss, the first of several.
std::vector<const ObservedRun*> best_of(const std::vector<const ObservedRun*>& runs, const std::set<int>& axes) {
  if (axes.empty()) return runs;
  struct Group {
    std::vector<std::string> arms;
    std::vector<const ObservedRun*> runs;
    double sum = 0;
  };
  std::vector<Group> groups;
  for (const ObservedRun* run : runs) {
    std::vector<std::string> arms;
    for (const int axis : axes) arms.push_back(run->arms[static_cast<std::size_t>(axis)]);
    auto group = std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.arms == arms; });
    if (group == groups.end()) group = groups.insert(group, Group{arms, {}, 0});
    group->runs.push_back(run);
    group->sum += final_loss(*run);
  }
  if (groups.empty()) return {};
  const auto mean = [](const Group& group) { return group.sum / static_cast<double>(group.runs.size()); };
  return std::min_element(groups.begin(), groups.end(),
                          [&](const Group& a, const Group& b) { return mean(a) < mean(b); })
      ->runs;
}

// --- sites and steps -------------------------------------------------------------------------------------------------

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// The step whose validation loss is lowest. Unmeasured when there is no such loss.
std::int64_t best_step(const ObservedRun& run) {
  const Observation* best = nullptr;
  for (const Observation& loss : run.of("valid_nll")) {
    if (!std::isnan(loss.value) && (best == nullptr || loss.value < best->value)) best = &loss;
  }
  if (best == nullptr) throw Unmeasured(text("the run ", run.name, " has no validation loss, so no best step"));
  return best->step;
}

// The value at a step. A run that diverged keeps from then on what its divergence made of it.
double value_at_step(const std::vector<Observation>& observations, std::int64_t step, const ObservedRun& run,
                     const Series& operand) {
  for (const Observation& observation : observations) {
    if (observation.step == step) return observation.value;
  }
  const bool diverged = run.state == RunState::diverged;
  if (diverged && !observations.empty() && observations.back().step == run.result->diverged_step &&
      step > run.result->diverged_step) {
    return observations.back().value;
  }
  if (diverged) return kNaN;
  throw Unmeasured(text("the run ", run.name, " has no ", operand.quantity, " at step ", step));
}

double at_steps(const std::vector<Observation>& observations, const ObservedRun& run, const Operand& operand) {
  if (observations.empty()) return kNaN;
  std::vector<double> values;
  for (const Observation& observation : observations) values.push_back(observation.value);
  const bool unknown = std::any_of(values.begin(), values.end(), [](double value) { return std::isnan(value); });
  if (operand.at == "last") return values.back();
  if (operand.at == "first") return values.front();
  if (operand.at == "best") return value_at_step(observations, best_step(run), run, operand);
  if (operand.at == "max") return unknown ? kNaN : *std::max_element(values.begin(), values.end());
  if (operand.at == "min") return unknown ? kNaN : *std::min_element(values.begin(), values.end());
  if (operand.at == "mean") return mean_of(values);
  if (operand.at == "median") return quantile(values, 0.5);
  if (operand.at == "p99") return quantile(values, 0.99);
  return value_at_step(observations, std::atoll(operand.at.c_str()), run, operand);
}

std::vector<SiteNumber> site_numbers(const Operand& operand, const ObservedRun& run) {
  std::vector<SiteNumber> numbers;
  for (const auto& [site, observations] : by_site(operand, run)) {
    numbers.push_back({site, at_steps(observations, run, operand)});
  }
  return numbers;
}

std::vector<Point> points_over_sites(const Operand& operand, const ObservedRun& run) {
  std::map<int, SiteNumber> layers;
  for (const SiteNumber& number : site_numbers(operand, run)) {
    const int layer = layer_of(number.site);
    if (layer == 0 && !number.site.empty()) {
      throw Unmeasured(text("the site ", number.site, " is of no layer: there is no number in its path"));
    }
    const auto [other, is_new] = layers.emplace(layer, number);
    if (!is_new) {
      throw Unmeasured(text("the sites \"", operand.sites, "\" must match one site of each layer, got ",
                            other->second.site, " and ", number.site));
    }
  }
  std::vector<Point> points;
  for (const auto& [layer, number] : layers) points.push_back({static_cast<double>(layer), number.value});
  return points;
}

}  // namespace

void Series::fields(Fields& f) {
  f.strings("arms", arms, "the arms of the sweep whose runs are looked at, one of each axis that is not left open");
  f.strings("best_over", best_over,
            "axes of which the arm with the lowest mean validation loss over seeds is taken: their path, its last "
            "part, or their number from 0");
  f.string("quantity", quantity, "what is looked at: \"valid_nll\", \"test_bleu\", a probe's quantity, …");
  f.string("sites", sites, "pattern of the paths of sites; * stands for any characters");
  f.integer("from_step", from_step, {.at_least = 0}, "the first step that is looked at");
}

void across_field(Fields& f, Across& across) {
  choice<Across>(f, "across", across,
                 {{Across::only, "only"},
                  {Across::first, "first"},
                  {Across::last, "last"},
                  {Across::mean, "mean"},
                  {Across::max, "max"},
                  {Across::min, "min"}},
                 "which number of several sites: `only` where one matches, `first` and `last` by layer");
}

void Operand::fields(Fields& f) {
  Series::fields(f);
  f.string("at", at,
           "which number of several steps: last, first, best (of the step with the lowest validation loss), max, min, "
           "mean, median, p99, or a step");
  static const std::vector<std::string> kWords = {"last", "first", "best", "max", "min", "mean", "median", "p99"};
  const bool step = !at.empty() && at.size() < 13 && at.find_first_not_of("0123456789") == std::string::npos;
  f.require(step || contains(kWords, at), "at",
            text("must be one of ", listed(kWords), " or a step, got \"", at, "\""));
  across_field(f, across);
}

std::string trouble(const Series& operand, const std::string& over, bool numbers, const std::vector<Axis>& axes) {
  std::string found = trouble_with_arms(operand.arms, axes);
  std::set<int> open;
  for (const std::string& name : operand.best_over) {
    if (found.empty()) found = trouble_with_axis(name, axes);
    open.insert(axis_named(name, axes));
  }
  const bool over_axis = !over.empty() && over != kOverSites;
  if (over_axis) {
    if (found.empty()) found = trouble_with_axis(over, axes);
    // The arms gone over are looked up by name, which then must be theirs alone.
    if (found.empty()) found = trouble_with_arms(arms_of(axes[static_cast<std::size_t>(axis_named(over, axes))]), axes);
    if (found.empty() && !open.insert(axis_named(over, axes)).second) {
      found = text("the axis \"", over, "\" cannot be gone over and in best_over too");
    }
  }
  if (!found.empty()) return found;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::vector<std::string> left = arms_of(axes[i], operand.arms);
    if (open.count(static_cast<int>(i)) == 0 && left.size() > 1) {
      return text("must leave one arm of each axis; of sweep.axes[", i, "] it leaves ", listed(left),
                  ": name one in arms, or put \"", name_of_axis(axes, i), "\" in best_over");
    }
    if (!over_axis || axis_named(over, axes) != static_cast<int>(i)) continue;
    for (const std::string& arm : left) {
      if (numbers && std::isnan(number_in(arm))) {
        return text("goes over \"", over, "\", whose arms must hold numbers; \"", arm, "\" holds none");
      }
    }
  }
  return "";
}

std::string words_of_axis(const std::string& over) {
  if (over == kOverSites) return "layers";
  return over.find_first_not_of("0123456789") == std::string::npos ? "the arms" : over;
}

std::string words_of(const Series& operand) {
  std::string words = operand.quantity;
  if (operand.sites != "*") words += " at " + operand.sites;
  if (operand.from_step > 0) words += text(" from step ", operand.from_step);
  if (!operand.arms.empty()) words += " of " + listed(operand.arms);
  std::vector<std::string> axes;
  for (const std::string& axis : operand.best_over) axes.push_back(words_of_axis(axis));
  if (!axes.empty()) words += " (best over " + listed(axes) + ")";
  return words;
}

std::string words_of(const Operand& operand) {
  const bool step = operand.at.find_first_not_of("0123456789") == std::string::npos;
  const std::string words = words_of(static_cast<const Series&>(operand));
  return step ? words + " at step " + operand.at : operand.at + " " + words;
}

std::vector<const ObservedRun*> looked_at(const Series& operand, const ObservedExperiment& experiment) {
  std::vector<const ObservedRun*> runs;
  for (const ObservedRun& run : experiment.runs) {
    bool wanted = true;
    for (std::size_t i = 0; i < experiment.axes.size(); ++i) {
      wanted = wanted && contains(arms_of(experiment.axes[i], operand.arms), run.arms[i]);
    }
    if (wanted) runs.push_back(&run);
  }
  return runs;
}

std::map<std::int64_t, const ObservedRun*> run_of_each_seed(const Series& operand,
                                                            const ObservedExperiment& experiment) {
  std::vector<const ObservedRun*> runs = looked_at(operand, experiment);
  std::erase_if(runs, [](const ObservedRun* run) { return !run->over(); });
  std::set<int> axes;
  for (const std::string& name : operand.best_over) axes.insert(axis_named(name, experiment.axes));
  std::map<std::int64_t, const ObservedRun*> of_seeds;
  for (const ObservedRun* run : best_of(runs, axes)) of_seeds[run->seed] = run;
  return of_seeds;
}

std::vector<SiteObservations> by_site(const Series& operand, const ObservedRun& run) {
  std::vector<SiteObservations> sites;
  std::vector<std::string> others;
  bool too_early = false;
  for (const Observation& observation : run.of(operand.quantity)) {
    if (observation.step < operand.from_step) {
      too_early = true;
      continue;
    }
    if (!glob_match(operand.sites, observation.site)) {
      if (!contains(others, observation.site)) others.push_back(observation.site);
      continue;
    }
    const auto same = [&](const SiteObservations& site) { return site.first == observation.site; };
    auto found = std::find_if(sites.begin(), sites.end(), same);
    if (found == sites.end()) found = sites.insert(found, {observation.site, {}});
    found->second.push_back(observation);
  }
  if (!sites.empty()) return sites;
  if (run.state == RunState::diverged) return {{"", {}}};
  if (others.empty() && too_early) {
    throw Unmeasured(text("the run ", run.name, " has no ", operand.quantity, " from step ", operand.from_step, " on"));
  }
  if (others.empty()) {
    std::vector<std::string> known;
    for (const auto& [quantity, observations] : run.quantities) known.push_back(quantity);
    throw Unmeasured(
        text("the run ", run.name, " has no quantity \"", operand.quantity, "\"", suggestion(operand.quantity, known)));
  }
  throw Unmeasured(text("no site of ", operand.quantity, " matches \"", operand.sites, "\"; it has ", listed(others)));
}

double across_sites(const std::vector<SiteNumber>& numbers, Across across, const Series& operand) {
  const auto by_value = [](const SiteNumber& a, const SiteNumber& b) { return a.value < b.value; };
  const auto by_layer = [](const SiteNumber& a, const SiteNumber& b) { return layer_of(a.site) < layer_of(b.site); };
  const bool unknown =
      std::any_of(numbers.begin(), numbers.end(), [](const SiteNumber& n) { return std::isnan(n.value); });
  const auto of_one_layer = [&](const SiteNumber& chosen) {
    for (const SiteNumber& number : numbers) {
      if (&number != &chosen && layer_of(number.site) == layer_of(chosen.site)) {
        throw Unmeasured(text("the sites \"", operand.sites, "\" must match one site of the ",
                              across == Across::first ? "first" : "last", " layer, got ", chosen.site, " and ",
                              number.site));
      }
    }
    return chosen.value;
  };
  switch (across) {
    case Across::only:
      if (numbers.size() == 1) return numbers.front().value;
      throw Unmeasured(text(numbers.size(), " sites of ", operand.quantity, " match \"", operand.sites, "\", such as ",
                            numbers[0].site, " and ", numbers[1].site,
                            "; narrow the sites or say `across` which number is meant"));
    case Across::first:
      return of_one_layer(*std::min_element(numbers.begin(), numbers.end(), by_layer));
    case Across::last:
      return of_one_layer(*std::max_element(numbers.begin(), numbers.end(), by_layer));
    case Across::max:
      return unknown ? kNaN : std::max_element(numbers.begin(), numbers.end(), by_value)->value;
    case Across::min:
      return unknown ? kNaN : std::min_element(numbers.begin(), numbers.end(), by_value)->value;
    case Across::mean:
      break;
  }
  std::vector<double> values;
  for (const SiteNumber& number : numbers) values.push_back(number.value);
  return mean_of(values);
}

std::map<std::int64_t, double> numbers(const Operand& operand, const ObservedExperiment& experiment) {
  std::map<std::int64_t, double> of_seeds;
  for (const auto& [seed, run] : run_of_each_seed(operand, experiment)) {
    of_seeds[seed] = across_sites(site_numbers(operand, *run), operand.across, operand);
  }
  return of_seeds;
}

std::map<std::int64_t, std::vector<Point>> points(const Operand& operand, const std::string& over,
                                                  const ObservedExperiment& experiment) {
  std::map<std::int64_t, std::vector<Point>> of_seeds;
  if (over == kOverSites) {
    for (const auto& [seed, run] : run_of_each_seed(operand, experiment)) {
      of_seeds[seed] = points_over_sites(operand, *run);
    }
    return of_seeds;
  }
  const Axis& axis = experiment.axes[static_cast<std::size_t>(axis_named(over, experiment.axes))];
  const std::vector<std::string> arms = arms_of(axis, operand.arms);
  const std::vector<std::string> names = arms_of(axis);
  for (const std::string& arm : arms) {
    Operand one = operand;
    std::erase_if(one.arms, [&](const std::string& name) { return contains(names, name); });
    one.arms.push_back(arm);
    for (const auto& [seed, value] : numbers(one, experiment)) of_seeds[seed].push_back({number_in(arm), value});
  }
  std::erase_if(of_seeds, [&](const auto& entry) { return entry.second.size() < arms.size(); });
  const bool all_numbers =
      std::none_of(arms.begin(), arms.end(), [](const std::string& arm) { return std::isnan(number_in(arm)); });
  for (auto& [seed, row] : of_seeds) {
    if (!all_numbers) break;
    std::stable_sort(row.begin(), row.end(), [](const Point& a, const Point& b) { return a.x < b.x; });
  }
  return of_seeds;
}

}  // namespace normlab

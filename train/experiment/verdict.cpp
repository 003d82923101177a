// Judging claims, and writing down what came out.
#include "verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "../files.h"
#include "../metrics.h"
#include "estimate.h"

namespace normlab {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<double> values_of(const std::map<std::int64_t, double>& by_seed) {
  std::vector<double> values;
  for (const auto& [seed, value] : by_seed) values.push_back(value);
  return values;
}

// A sample with its estimate.
struct Estimated {
  std::string of;
  int seeds = 0;
  Estimate estimate;
};

// Of the steps of an order the one that decides: one outside of the range if there is, else one that reaches over its
// end, else any; of several the one that reaches farthest down.
const Estimated& deciding(const std::vector<Estimated>& all, const HeldRange& held) {
  const auto rank = [&](const Estimated& one) {
    const auto [low, high] = std::pair(one.estimate.low, one.estimate.high);
    return held.is_apart_from(low, high) ? 0 : held.contains(low, high) ? 2 : 1;
  };
  const Estimated* found = &all.front();
  for (const Estimated& one : all) {
    const bool lower = one.estimate.low < found->estimate.low || one.seeds < found->seeds;
    if (rank(one) != rank(*found) ? rank(one) < rank(*found) : lower) found = &one;
  }
  return *found;
}

// The baseline that is not reached, in words; empty when all are.
std::string untrained(const ClaimConfig& claim, const ObservedExperiment& experiment) {
  for (const BaselineConfig& baseline : claim.baseline) {
    const double reached = estimate(values_of(numbers(baseline, experiment)), Scale::linear).value;
    if (!baseline.level.contains(reached)) {
      return fmt::format("baseline untrained: {} is {:.4g}, must be {}", words_of(baseline), reached,
                         baseline.level.words());
    }
  }
  return "";
}

// Whatever keeps the interval from being looked at; empty when nothing does.
std::string obstacle(const ClaimConfig& claim, int seeds, const ObservedExperiment& experiment) {
  std::set<const ObservedRun*> runs;
  for (const Use& use : claim.measure->uses()) {
    for (const ObservedRun* run : looked_at(*use.operand, experiment)) runs.insert(run);
  }
  for (const BaselineConfig& baseline : claim.baseline) {
    for (const ObservedRun* run : looked_at(baseline, experiment)) runs.insert(run);
  }
  const auto open = std::count_if(runs.begin(), runs.end(), [](const ObservedRun* run) { return !run->over(); });
  if (open > 0) return fmt::format("{} of {} runs are not over", open, runs.size());
  if (seeds < claim.least_seeds) return fmt::format("too few seeds: {}, must be at least {}", seeds, claim.least_seeds);
  return untrained(claim, experiment);
}

void decide(ClaimResult& result, const ClaimConfig& claim, const ObservedExperiment& experiment) {
  std::vector<Estimated> all;
  for (const Sample& sample : claim.measure->samples(experiment)) {
    const std::vector<double> values = values_of(sample.by_seed);
    all.push_back(
        {sample.of, static_cast<int>(values.size()), estimate(values, claim.measure->scale(), sample.trials)});
  }
  const Estimated& one = deciding(all, claim.held);
  result.value = one.estimate.value;
  result.low = one.estimate.low;
  result.high = one.estimate.high;
  result.method = one.estimate.method;
  result.seeds = one.seeds;
  if (!one.of.empty()) result.measure += "; the step shown is " + one.of;

  result.reason = obstacle(claim, one.seeds, experiment);
  if (!result.reason.empty()) return;
  if (claim.held.contains(result.low, result.high)) {
    result.verdict = Verdict::held;
    result.reason = "the interval lies in the range";
  } else if (claim.held.is_apart_from(result.low, result.high)) {
    result.verdict = Verdict::did_not_hold;
    result.reason = "the interval lies outside of the range";
  } else if (std::isinf(result.low) && std::isinf(result.high) && result.low < result.high) {
    result.reason = fmt::format("{} seeds do not bound the {}", one.seeds, result.method);
  } else {
    result.reason = "the interval reaches over an end of the range";
  }
}

ClaimResult judge_one(const ClaimConfig& claim, const ObservedExperiment& experiment) {
  ClaimResult result;
  result.id = claim.id;
  result.claim = claim.claim;
  result.source = claim.source;
  result.measure = claim.measure->words();
  result.rule = "held when " + claim.held.words();
  result.value = result.low = result.high = kNaN;
  result.paper = claim.paper;
  result.differs = claim.differs;
  result.evidence = claim.evidence;
  try {
    decide(result, claim, experiment);
  } catch (const Unmeasured& why) {
    result.verdict = Verdict::undecided;
    result.reason = why.what();
  }
  return result;
}

MetricFields fields_of(const ClaimResult& result) {
  MetricFields fields = {{"id", result.id},         {"claim", result.claim},
                         {"source", result.source}, {"verdict", std::string(name_of(result.verdict))},
                         {"reason", result.reason}, {"value", result.value},
                         {"low", result.low},       {"high", result.high}};
  if (result.paper) fields.emplace_back("paper", *result.paper);
  fields.emplace_back("seeds", static_cast<std::int64_t>(result.seeds));
  fields.emplace_back("method", result.method);
  fields.emplace_back("measure", result.measure);
  fields.emplace_back("rule", result.rule);
  fields.emplace_back("differs", result.differs);
  fields.emplace_back("evidence", std::string(result.evidence ? "yes" : "no"));
  return fields;
}

}  // namespace

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::held:
      return "held";
    case Verdict::did_not_hold:
      return "did not hold";
    case Verdict::undecided:
      break;
  }
  return "undecided";
}

std::vector<ClaimResult> judge(const Experiment& experiment, const std::vector<ObservedRun>& runs) {
  static const std::vector<Axis> none;
  const ObservedExperiment observed{experiment.sweep ? experiment.sweep->axes : none, runs};
  std::vector<ClaimResult> results;
  for (const ClaimConfig& claim : experiment.claims) results.push_back(judge_one(claim, observed));
  return results;
}

void write_verdicts(const std::vector<ClaimResult>& results, const std::filesystem::path& folder) {
  std::vector<MetricFields> rows;
  for (const ClaimResult& result : results) rows.push_back(fields_of(result));
  write_json(folder / "verdicts.json", rows);
  write_csv(folder / "verdicts.csv", rows);
}

namespace {

std::string value_text(const ClaimResult& result) {
  if (result.seeds == 0) return "no value";
  const std::string value = fmt::format("{:.4g}", result.value);
  if (!result.has_interval()) return value + ", one seed and so no interval";
  return fmt::format("{}, 95 % interval {:.4g} to {:.4g} ({}; {} seed{})", value, result.low, result.high,
                     result.method, result.seeds, result.seeds == 1 ? "" : "s");
}

}  // namespace

std::string verdict_table(const std::vector<ClaimResult>& results) {
  std::size_t width = 0;
  for (const ClaimResult& result : results) width = std::max(width, result.id.size());
  std::string out;
  for (const ClaimResult& result : results) {
    const std::string indent(width + 18, ' ');
    out += fmt::format("  {:<{}}  {:<12}  {}{}\n", result.id, width, name_of(result.verdict), result.claim,
                       result.source.empty() ? "" : " (" + result.source + ")");
    out += fmt::format("{}{}: {}\n", indent, result.measure, value_text(result));
    out += fmt::format("{}{}: {}{}\n", indent, result.rule, result.reason,
                       result.paper ? fmt::format("; the paper's value is {:.4g}", *result.paper) : "");
    if (!result.differs.empty()) out += fmt::format("{}differs: {}\n", indent, result.differs);
    if (!result.evidence) out += indent + "too small to be evidence\n";
  }
  return out;
}

}  // namespace normlab

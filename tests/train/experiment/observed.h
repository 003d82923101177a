// Experiments with runs made up by hand, for the tests of measures and verdicts.
#pragma once

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "engine/error.h"
#include "train/experiment/verdict.h"

namespace normlab::made_up {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Two axes, {Post-LN, Pre-LN} and layers {2, 4, 8}, with seeds {1, 2, 3}, and these claims.
inline std::string with_claims(const std::string& claims, const std::string& seeds = "[1, 2, 3]") {
  return R"({"question": "?", "train": {"steps": 10}, "sweep": {"seeds": )" + seeds +
         R"(, "axes": [{"Post-LN": {"model.placement": "post"}, "Pre-LN": {}}, {"model.layers": [2, 4, 8]}]},
"claims": [)" +
         claims + "]}";
}

// A claim of that measure that holds in that range.
inline std::string claim(const std::string& measure, const std::string& held = R"("at_least": 1)",
                         const std::string& more = "") {
  return R"({"id": "C", "claim": "it is so", "measure": )" + measure + R"(, "held": {)" + held + "}" + more + "}";
}

inline Experiment experiment_of(const std::string& claims, const std::string& seeds = "[1, 2, 3]") {
  return parse_experiment(with_claims(claims, seeds), "test.json");
}

// A finished run of each of the experiment's, with what `fill` puts into it.
inline std::vector<ObservedRun> runs_of(const Experiment& experiment, const std::function<void(ObservedRun&)>& fill) {
  std::vector<ObservedRun> runs;
  for (const Run& run : experiment.runs) {
    runs.push_back({run.name, run.arms, run.seed, RunState::finished, RunResult{}});
    fill(runs.back());
  }
  return runs;
}

inline void diverge(ObservedRun& run, std::int64_t step) {
  run.state = RunState::diverged;
  run.result->diverged_step = step;
}

// The layers of a run's arm "layers=4".
inline double layers_of(const ObservedRun& run) { return std::stod(run.arms[1].substr(7)); }
inline bool is_post(const ObservedRun& run) { return run.arms[0] == "Post-LN"; }

// What a measure makes of runs of that experiment: the only sample, one number for each seed.
inline std::vector<double> measured(const std::string& measure, const std::function<void(ObservedRun&)>& fill) {
  const Experiment experiment = experiment_of(claim(measure));
  const std::vector<ObservedRun> runs = runs_of(experiment, fill);
  const auto samples = experiment.claims[0].measure->samples({experiment.sweep->axes, runs});
  std::vector<double> values;
  for (const auto& [seed, value] : samples.at(0).by_seed) values.push_back(value);
  return values;
}

// The message of the Error that `call` throws; "" when it throws none.
inline std::string complaint_of(const std::function<void()>& call) {
  try {
    call();
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace normlab::made_up

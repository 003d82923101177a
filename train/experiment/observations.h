// Observations: everything that the folders of an experiment's runs tell, by quantity. What claims and figures are made
// of.
//
//   train_loss train_nll rate gradient_norm penalty seconds    of the logged steps
//   valid_nll valid_perplexity valid_<score>, test_…           of the evaluations, also with _by_batch_statistics
//   the probes' quantities and those of measurements           by their own names, at their sites
//   diverged                                                   1 or 0, of a run that is over
//   diverged_step                                              where it diverged, at the site of the first NaN
//
// Of a run with train.average the last figures are those of the mean of its last checkpoints.
// A run that diverged ends, at the step where it did, in an infinite loss and in scores of 0.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "../run.h"

namespace normlab {

struct Experiment;

struct Observation {
  std::int64_t step = 0;
  std::string site;  // empty for the whole model
  double value = 0;
};

enum class RunState { missing, unfinished, finished, diverged };

struct ObservedRun {
  std::string name;
  std::vector<std::string> arms;  // one for each axis
  std::int64_t seed = 1;
  RunState state = RunState::missing;
  std::optional<RunResult> result;                               // of a run that is over
  std::map<std::string, std::vector<Observation>> quantities{};  // in order of steps, then of sites as written

  bool over() const { return state == RunState::finished || state == RunState::diverged; }
  // Empty when the run has no such quantity.
  const std::vector<Observation>& of(const std::string& quantity) const;
  // The last value at a site; none when nothing was seen there.
  std::optional<double> last(const std::string& quantity, const std::string& site) const;
};

// Does the quantity come from probes or measurements? Others are of the whole model: of steps, evaluations, divergence.
bool is_measured_inside(const std::string& quantity);

// What there is of each run in the experiment's folder, also while runs are still going on. Error when a folder holds a
// run of another config, or a file that cannot be read.
std::vector<ObservedRun> observe(const Experiment& experiment, const std::filesystem::path& folder);

}  // namespace normlab

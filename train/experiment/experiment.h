// An experiment: all runs of a config, ending in a table. Without a sweep it is one run.
//
// Its folder: experiment.json (resolved), command.txt, runs/<name>/ for each run, or the files of the one run without a
// sweep, and summary.csv. Verdicts, figures and the report are made of these by experiment/verdict.h and report/.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "../run.h"
#include "experiment_config.h"
#include "statistics.h"

namespace normlab {

struct ExperimentSettings {
  std::filesystem::path folder;
  std::string data_directory;
  bool resume = false;
  bool quiet = false;
  std::string command;          // that asks for this experiment, for the report; kept in command.txt
  int side_by_side = 0;         // runs at once; 0: as many as threads and memory allow
  std::filesystem::path share;  // where other experiments lie, whose finished runs are taken over; empty: nowhere
};

// The runs of one combination of arms, over seeds.
struct ArmResult {
  std::vector<std::string> arms;
  std::vector<RunResult> runs;
  int diverged = 0;
  Interval valid_nll;  // over the runs that did not diverge; of nats per predicted token
};

struct ExperimentResult {
  std::vector<ArmResult> arms;
  double seconds = 0;
  int diverged_runs = 0;
};

// What no model can do better than on made-up data: the perplexity of the mean of the runs' entropies. Seeds may make a
// language each.
struct Floor {
  double perplexity = 0;
  bool one_language = true;
};
// Of nats per token, one for each run; none without any.
std::optional<Floor> floor_of(const std::vector<double>& entropies);

// Runs what is not done yet. A finished run is never repeated; a diverged one is recorded and the others go on.
ExperimentResult run_experiment(const Experiment& experiment, const ExperimentSettings& settings);

// The table that a person reads: for each arm the validation perplexity (the exponential of the mean nats per token and
// of its 95 % interval over seeds), and below it what made-up data or n-grams give.
std::string summary_table(const Experiment& experiment, const ExperimentResult& result,
                          const ExperimentSettings& settings);

}  // namespace normlab

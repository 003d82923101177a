// One run: from a resolved config to a folder with its results.
//
//   config.json          resolved config; read again, it gives the same run
//   run.json             what it was made with: version, build, processor, threads, product library; a hash of the data
//   metrics.jsonl, .csv  one record per logged step and per evaluation; "average": of the mean of the last checkpoints
//   probes.jsonl         one record per observed step, site and quantity
//   measurements.jsonl   one record per quantity and site, of an experiment that measures
//   checkpoints/         step_000200.safetensors, …
//   result.json          written last: the run is finished (or diverged)
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "config.h"

namespace normlab {

struct RunSettings {
  std::filesystem::path folder;
  std::string data_directory;
  bool resume = false;
  bool quiet = false;  // no progress of its own
  std::string title = "step";
  // Told before the first step and after each one: steps done by earlier sessions, steps done, steps in all. Where
  // nothing is trained, the same of the pieces of what is measured.
  std::function<void(std::int64_t before, std::int64_t done, std::int64_t steps)> watch = {};
};

// What is known of a run when it is over; kept in result.json.
struct RunResult {
  std::int64_t steps = 0;  // done
  std::int64_t parameters = 0;
  std::int64_t diverged_step = 0;  // 0: it did not
  std::string diverged_site;
  std::int64_t averaged = 0;  // checkpoints whose mean the figures from final_nll to scores are of; 0: the last model
  // Nats per predicted token of the validation split; infinite when diverged, NaN when nothing was trained.
  double final_nll = std::numeric_limits<double>::quiet_NaN();
  double best_nll = std::numeric_limits<double>::quiet_NaN();  // of a model as trained
  std::int64_t best_step = 0;
  std::optional<double> test_nll;
  std::optional<double> final_nll_by_batch, test_nll_by_batch;  // the same by the batches' own statistics, if asked for
  std::map<std::string, double> scores;                  // the last of each split, "test_bleu"; see Task::scores()
  std::map<std::string, std::string> score_definitions;  // of each, "bleu"; see Task::score_definitions()
  std::optional<double> entropy;  // of made-up data: nats per predicted token of the validation split
  double seconds = 0;             // of training, over all sessions, and of measuring

  bool diverged() const { return diverged_step > 0; }
  bool trained() const { return steps > 0 || diverged(); }
};

// The data of the config, from `directory`. Error, for a file that is not there with the command that fetches it.
std::unique_ptr<Data> load_data(const Config& config, const std::string& directory);

// What training takes; Error when the machine has not that much memory, or not for `copies` of it at once. Nothing of
// the model is allocated.
TrainingSize require_memory(const Config& config, const Data& data, int copies = 1);

// Error unless `held`, the resolved config that the folder holds, is `own`; it names the first line that differs.
void require_same_config(const std::string& held, const std::string& own, const std::filesystem::path& folder);

// Does the folder hold a finished run of this config? Error when it holds another config's.
std::optional<RunResult> finished_run(const Config& config, const std::filesystem::path& folder);

// Trains and measures as `config` says and leaves everything in the folder. A diverged run is a result, not an error.
// Error when the folder holds an unfinished run and `resume` is off, or another config's, or another process writes
// into it; Interrupted on Ctrl-C, after a checkpoint.
RunResult run_one(const Config& config, const RunSettings& settings);

}  // namespace normlab

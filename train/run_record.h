// What a run's folder says of it: which run it is, what it was made with, and how it ended.
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
#include <limits>
#include <map>
#include <optional>
#include <string>

#include "config.h"

namespace normlab {

// What is known of a run when it is over; kept in result.json.
struct RunResult {
  std::int64_t steps = 0;  // done
  std::int64_t parameters = 0;
  std::int64_t diverged_step = 0;  // 0: it did not
  std::string diverged_site;
  std::int64_t averaged = 0;  // checkpoints whose mean the figures from final_nll to scores are of; 0: the last model
  // Nats per predicted token of the validation split; infinite when diverged, NaN when there is none.
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

// Error unless `held`, the resolved config that the folder holds, is `own`; it names the first line that differs.
void require_same_config(const std::string& held, const std::string& own, const std::filesystem::path& folder);

// Does the folder hold a run of this config? Error when it holds another's. Settings that are newer than the program
// that wrote it have their defaults.
bool holds_run(const Config& config, const std::filesystem::path& folder);

// The hash of the data that the folder's run.json says it was begun on; empty when it says none.
std::string recorded_data(const std::filesystem::path& folder);

// Writes run.json and config.json. `data` may be null. Of a run that goes on with what earlier sessions have done, a
// value that has changed, such as the program, becomes "a, then b", so that the run is not taken for the work of one;
// Error when the data have changed.
void begin_record(const Config& config, const Data* data, const std::filesystem::path& folder, bool goes_on);

// What metrics.jsonl says of a run that is over.
RunResult summarize(const std::filesystem::path& folder);
void write_result(const RunResult& result, const std::filesystem::path& file);

// The result of a finished run of this config, if the folder holds one. Error when it holds another config's.
std::optional<RunResult> finished_run(const Config& config, const std::filesystem::path& folder);

}  // namespace normlab

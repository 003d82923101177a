// One run: from a resolved config to a folder with its results, which run_record.h lists.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "run_record.h"

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

// The data of the config, from `directory`. Error, for a file that is not there with the command that fetches it.
std::unique_ptr<Data> load_data(const Config& config, const std::string& directory);

// What training takes; Error when the machine has not that much memory, or not for `copies` of it at once. Nothing of
// the model is allocated.
TrainingSize require_memory(const Config& config, const Data& data, int copies = 1);

// Trains and measures as `config` says and leaves everything in the folder. A diverged run is a result, not an error.
// Error when the folder holds an unfinished run and `resume` is off, or another config's, or another process writes
// into it; Interrupted on Ctrl-C, after a checkpoint.
RunResult run_one(const Config& config, const RunSettings& settings);

}  // namespace normlab

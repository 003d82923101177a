// A trained model, taken from the folder of its run.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "config.h"

namespace normlab {

struct Trained {
  Config config;
  std::unique_ptr<Data> data;
  std::unique_ptr<Task> task;  // its model holds the mean of the last checkpoints
  std::int64_t step = 0;       // after which the last of them was saved
};

// The mean of the last `average` checkpoints; with 0 of as many as the run's config says, or has saved so far. Error
// when the folder holds no run, an experiment of several runs, or too few checkpoints.
Trained load_trained(const std::filesystem::path& folder, const std::string& data_directory, std::int64_t average = 0);

}  // namespace normlab

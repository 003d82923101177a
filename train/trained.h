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
  std::unique_ptr<Task> task;  // its model holds the values of the last checkpoint
  std::int64_t step = 0;       // after which that was saved
};

// Error when the folder holds no run, an experiment of several runs, or no checkpoint.
Trained load_trained(const std::filesystem::path& folder, const std::string& data_directory);

}  // namespace normlab

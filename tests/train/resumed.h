// A run that is resumed, for the tests of tasks.
#pragma once

#include <filesystem>
#include <string>

#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "train/checkpoint.h"
#include "train/files.h"
#include "train/run.h"

namespace normlab {

// Runs `config`, of 8 steps with checkpoints at 5 and 8, at once, and again from its checkpoint of step 5: does that
// end in the same bytes? Returns them.
inline std::string check_resumes(const Config& config) {
  const test::TemporaryFolder folder;
  RunSettings settings;
  settings.quiet = true;
  settings.folder = folder / "whole";
  run_one(config, settings);
  const auto resumed = folder / "resumed";
  std::filesystem::create_directories(resumed / "checkpoints");
  for (const char* file : {"config.json", "run.json", "metrics.jsonl", "probes.jsonl"}) {
    if (std::filesystem::exists(settings.folder / file)) std::filesystem::copy(settings.folder / file, resumed / file);
  }
  std::filesystem::copy(checkpoint_path(settings.folder / "checkpoints", 5),
                        checkpoint_path(resumed / "checkpoints", 5));
  const std::string expected = read_file(checkpoint_path(settings.folder / "checkpoints", 8));
  settings.folder = resumed;
  settings.resume = true;
  run_one(config, settings);
  const bool same = read_file(checkpoint_path(resumed / "checkpoints", 8)) == expected;
  CHECK(same);
  return expected;
}

}  // namespace normlab

// Provenance: what the runs of an experiment were made with and when, and how far they are.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "../experiment/experiment_config.h"
#include "../experiment/observations.h"

namespace normlab {

struct Provenance {
  // What the runs' run.json say of version, build, processor and so on: every name with its different values, each in
  // order of appearance.
  std::vector<std::pair<std::string, std::vector<std::string>>> environment;
  std::string first_started, last_started;  // "2026-11-21T18:57:02Z"; empty when no run has begun

  // The values of a name, joined by "; "; empty when there is none.
  std::string of(const std::string& name) const;
  // The day on which the last run began: "2026-11-21".
  std::string date() const { return last_started.substr(0, 10); }
};

Provenance provenance(const Experiment& experiment, const std::filesystem::path& folder);

struct RunCounts {
  int finished = 0, diverged = 0, unfinished = 0, missing = 0;
  double seconds = 0;  // of training, of the runs that are over

  int over() const { return finished + diverged; }
  int all() const { return over() + unfinished + missing; }
};
RunCounts count(const std::vector<ObservedRun>& runs);

// What an experiment is called after its folder: what follows a folder named runs, "xiong2020/gradients", or else the
// folder's own name.
std::string experiment_name(const std::filesystem::path& folder);

// The command that made the experiment, as it was typed; where it was not kept, one that makes it again.
std::string command_of(const std::filesystem::path& folder);

}  // namespace normlab

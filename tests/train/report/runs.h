// Runs made up for the tests of figures and reports, as if observed.
#pragma once

#include <string>
#include <vector>

#include "train/experiment/experiment_config.h"
#include "train/experiment/observations.h"

namespace normlab::made_up {

inline Axis axis(const std::string& path, const std::vector<std::string>& names) {
  Axis made;
  for (const std::string& name : names) made.push_back({name, {}, {{path, JsonNode()}}});
  return made;
}

inline ObservedRun run(const std::vector<std::string>& arms, std::int64_t seed) {
  ObservedRun made;
  for (const std::string& arm : arms) made.name += arm + "_";
  made.name += "seed=" + std::to_string(seed);
  made.arms = arms;
  made.seed = seed;
  made.state = RunState::finished;
  made.result = RunResult();
  return made;
}

}  // namespace normlab::made_up

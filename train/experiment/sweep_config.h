// A sweep: from one config the runs of an experiment, every combination of its arms with every seed.
//
//   "sweep": {
//     "seeds": [1, 2, 3],
//     "axes": [
//       {"Post-LN": {"model.placement": "post", "model.final_norm": false}, "Pre-LN": {}},
//       {"train.optimizer.rate": [1e-3, 5e-4]}
//     ]
//   }
//
// An axis is an object of named arms, or of one path with a list of values, each of which makes an arm. An arm sets
// values at paths of the config, as a command line does and under the same rules. The axes are applied in their order,
// so that a later one may refine an object that an earlier one set.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "../config.h"
#include "../json_tree.h"

namespace normlab {

struct Setting {
  std::string path;
  JsonNode value;
};

struct Arm {
  std::string name;  // as given, or "rate=0.001"
  Position at;
  std::vector<Setting> settings;
};

using Axis = std::vector<Arm>;

struct Sweep {
  std::vector<std::int64_t> seeds;  // empty: the config's own
  std::vector<Axis> axes;
};

struct Run {
  std::string name;               // fit for a folder: "Post-LN_rate=0.001_seed=1"; "" when there is no sweep
  std::vector<std::string> arms;  // one for each axis
  std::int64_t seed = 1;
  Config config;
};

struct Experiment {
  Config config;  // without the sweep
  std::optional<Sweep> sweep;
  std::vector<Run> runs;  // the first axis outermost, seeds innermost; one when there is no sweep
  // What to write beside the results: read again it gives the same runs. Without a sweep it is resolved(config). With
  // one it keeps the sweep, and leaves out the defaults that differ between the runs (a default may depend on what an
  // arm sets); each run's own resolved(run.config) has those.
  JsonNode resolved;
};

// Reads a config file with the overrides of a command line. Error with all problems of the config, of the sweep and of
// each run it makes.
Experiment read_experiment(const std::string& file, const std::vector<std::string>& overrides = {});
// The same of a text; `name` stands for the file in messages.
Experiment parse_experiment(const std::string& json, const std::string& name,
                            const std::vector<std::string>& overrides = {});

// The JSON Schema (draft-07) of a config file.
std::string experiment_schema();

}  // namespace normlab

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
#include <filesystem>
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

// The folder of a run of the experiment that `experiment_folder` holds: the same for a run that stands alone.
std::filesystem::path run_folder(const Run& run, const std::filesystem::path& experiment_folder);
// "Pre-LN, warm-up"; "model" when there are no arms.
std::string label_of(const std::vector<std::string>& arms);

Sweep read_sweep(const JsonNode& node, Problems& problems);

// Reads the config of every combination: the first axis outermost, seeds innermost. `root` is the file without what is
// not of a run, `base` what it says without the sweep. What is wrong with `base` already is not told again.
std::vector<Run> make_runs(const JsonNode& root, const Sweep& sweep, const Config& base, Problems& problems);

}  // namespace normlab

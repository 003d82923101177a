// Reading a sweep, and the runs it makes.
#include "sweep_config.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "../../engine/error.h"
#include "../config_reader.h"

namespace normlab {
namespace {

constexpr std::size_t kMostRuns = 10000;
constexpr std::size_t kLongestName = 200;  // bytes; file systems allow 255

// --- reading ---------------------------------------------------------------------------------------------------------

// {"train.optimizer.rate": [1e-3, 5e-4]}: an arm for each value.
Axis read_values(const JsonNode& values, const std::string& path, Problems& problems) {
  const std::string last = values.name.substr(values.name.rfind('.') + 1);
  Axis axis;
  std::set<std::string> names;
  for (const JsonNode& value : values.items) {
    const std::string shown = value.type == JsonType::string ? value.string : to_line(value);
    axis.push_back({last + "=" + shown, value.at, {{values.name, value}}});
    if (!names.insert(shown).second) problems.add(value.at, path, text("the value ", shown, " is given twice"));
  }
  return axis;
}

// {"Post-LN": {"model.placement": "post"}, "Pre-LN": {}}
Axis read_arms(const JsonNode& arms, const std::string& path, Problems& problems) {
  Axis axis;
  for (const JsonNode& arm : arms.items) {
    if (arm.type != JsonType::object) {
      problems.add(arm.at, join_path(path, arm.name),
                   "must be an object of paths with their values, or alone in its axis and a list of values");
      continue;
    }
    Arm read{arm.name, arm.at, {}};
    for (const JsonNode& setting : arm.items) read.settings.push_back({setting.name, setting});
    axis.push_back(std::move(read));
  }
  return axis;
}

Axis read_axis(const JsonNode& axis, const std::string& path, Problems& problems) {
  if (axis.type != JsonType::object || axis.items.empty()) {
    problems.add(axis.at, path, "must be an object of named arms, or of one path with a list of its values");
    return {};
  }
  const JsonNode& first = axis.items.front();
  if (axis.items.size() > 1 || first.type != JsonType::array) return read_arms(axis, path, problems);
  if (first.items.empty()) problems.add(first.at, join_path(path, first.name), "must hold at least one value");
  return read_values(first, path, problems);
}

// An axis may not set again what an earlier one has set, wholly or in part.
void check_apart(const std::vector<Axis>& axes, Problems& problems) {
  std::vector<std::string> earlier;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    std::vector<std::string> own;
    for (const Arm& arm : axes[i]) {
      for (const Setting& setting : arm.settings) {
        const auto wiped = [&](const std::string& path) {
          return path == setting.path || path.rfind(setting.path + ".", 0) == 0;
        };
        const auto found = std::find_if(earlier.begin(), earlier.end(), wiped);
        if (found != earlier.end()) {
          problems.add(setting.value.at, text("sweep.axes[", i, "]"),
                       text("sets ", setting.path, " over the ", *found, " of an earlier axis"));
        }
        if (setting.path == "seed") {
          problems.add(setting.value.at, text("sweep.axes[", i, "]"), "seeds belong in sweep.seeds");
        }
        own.push_back(setting.path);
      }
    }
    earlier.insert(earlier.end(), own.begin(), own.end());
  }
}

// --- the runs --------------------------------------------------------------------------------------------------------

using Combination = std::vector<const Arm*>;  // an arm of each axis

std::vector<Combination> combinations(const std::vector<Axis>& axes) {
  std::vector<Combination> all = {{}};
  for (const Axis& axis : axes) {
    std::vector<Combination> longer;
    for (const Combination& combination : all) {
      for (const Arm& arm : axis) {
        longer.push_back(combination);
        longer.back().push_back(&arm);
      }
    }
    all = std::move(longer);
  }
  return all;
}

Config read_config(const JsonNode& root, Problems& problems) {
  Config config;
  ConfigReader reader(root, "", problems);
  config.fields(reader);
  reader.finish();
  return config;
}

// The path of the first value that the command line set, here or inside; empty when there is none.
std::string set_by_command_line(const JsonNode& node, const std::string& path) {
  for (const JsonNode& item : node.items) {
    const std::string found = item.name.empty() ? "" : set_by_command_line(item, path + "." + item.name);
    if (!found.empty()) return found;
  }
  return node.at.line == 0 ? path : "";
}

Config read_run(JsonNode root, const Combination& arms, Problems& problems) {
  for (const Arm* arm : arms) {
    for (const Setting& setting : arm->settings) {
      const JsonNode* before = find_path(root, setting.path);
      const std::string lost =
          before == nullptr || setting.value.at.line == 0 ? "" : set_by_command_line(*before, setting.path);
      if (!lost.empty()) {
        const std::string of = lost == setting.path ? "this" : setting.path + " whole";
        problems.add({}, lost, text("the sweep sets ", of, " too; change it there"));
      }
      const std::string trouble = set_path(root, setting.path, setting.value);
      if (!trouble.empty()) problems.add(setting.value.at, setting.path, trouble);
    }
  }
  return read_config(root, problems);
}

// A problem of some runs, and the arms that all of these runs share: they are to blame.
struct Blame {
  Problem problem;
  Combination arms;
};

void blame(std::vector<Blame>& blames, const Problem& problem, const Combination& arms) {
  for (Blame& known : blames) {
    if (!(known.problem == problem)) continue;
    const auto absent = [&](const Arm* arm) { return std::find(arms.begin(), arms.end(), arm) == arms.end(); };
    known.arms.erase(std::remove_if(known.arms.begin(), known.arms.end(), absent), known.arms.end());
    return;
  }
  blames.push_back({problem, arms});
}

// The arms' names and the seed, with what is unfit for a folder's name replaced.
std::string run_name(const Combination& arms, std::int64_t seed) {
  std::string name;
  for (const Arm* arm : arms) name += arm->name + "_";
  name += text("seed=", seed);
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && std::string("._=+-").find(c) == std::string::npos) c = '-';
  }
  if (name.front() == '.') name.front() = '-';
  return name;
}

}  // namespace

std::filesystem::path run_folder(const Run& run, const std::filesystem::path& experiment_folder) {
  return run.name.empty() ? experiment_folder : experiment_folder / "runs" / run.name;
}

std::string label_of(const std::vector<std::string>& arms) {
  std::string label;
  for (const std::string& arm : arms) label += (label.empty() ? "" : ", ") + arm;
  return label.empty() ? "model" : label;
}

Sweep read_sweep(const JsonNode& node, Problems& problems) {
  Sweep sweep;
  ConfigReader reader(node, "sweep", problems);
  reader.integers("seeds", sweep.seeds, {.at_least = 0}, "");
  if (const JsonNode* axes = reader.take("axes")) {
    if (axes->type != JsonType::array) {
      problems.add(axes->at, "sweep.axes", "must be a list of axes");
    } else {
      for (std::size_t i = 0; i < axes->items.size(); ++i) {
        sweep.axes.push_back(read_axis(axes->items[i], text("sweep.axes[", i, "]"), problems));
      }
    }
  }
  reader.finish();
  const std::set<std::int64_t> distinct(sweep.seeds.begin(), sweep.seeds.end());
  if (distinct.size() < sweep.seeds.size()) {
    problems.add(node.find("seeds")->at, "sweep.seeds", "a seed is given twice");
  }
  check_apart(sweep.axes, problems);
  double count = static_cast<double>(std::max<std::size_t>(1, sweep.seeds.size()));
  for (const Axis& axis : sweep.axes) count *= static_cast<double>(axis.size());
  if (count > static_cast<double>(kMostRuns)) {
    problems.add(node.at, "sweep", text("must make at most ", kMostRuns, " runs, makes ", count));
  }
  return sweep;
}

std::vector<Run> make_runs(const JsonNode& root, const Sweep& sweep, const Config& base, Problems& problems) {
  const std::vector<Problem> known = problems.list();
  const std::vector<std::int64_t> seeds = sweep.seeds.empty() ? std::vector<std::int64_t>{base.seed} : sweep.seeds;
  std::vector<Blame> blames;
  std::vector<Run> runs;
  std::set<std::string> names;
  for (const Combination& arms : combinations(sweep.axes)) {
    Problems found(problems.file());
    const Config config = read_run(root, arms, found);
    for (const Problem& problem : found.list()) {
      if (std::find(known.begin(), known.end(), problem) == known.end()) blame(blames, problem, arms);
    }
    std::vector<std::string> arm_names;
    for (const Arm* arm : arms) arm_names.push_back(arm->name);
    for (const std::int64_t seed : seeds) {
      runs.push_back({run_name(arms, seed), arm_names, seed, config});
      runs.back().config.seed = seed;
      const std::string& name = runs.back().name;
      const Position at = arms.empty() ? Position{1, 1} : arms.back()->at;
      if (!names.insert(name).second) problems.add(at, "sweep", text("two runs would have the name ", name));
      if (name.size() > kLongestName) problems.add(at, "sweep", text("the name of a run is too long: ", name));
    }
  }
  for (const Blame& blamed : blames) {
    std::vector<std::string> arms;
    for (const Arm* arm : blamed.arms) arms.push_back("\"" + arm->name + "\"");
    const std::string of_arms = text(arms.size() > 1 ? "in the arms " : "in the arm ", listed(arms));
    const Problem& problem = blamed.problem;
    problems.add(problem.at, arms.empty() ? problem.path : of_arms + ": " + problem.path, problem.message);
  }
  return runs;
}

}  // namespace normlab

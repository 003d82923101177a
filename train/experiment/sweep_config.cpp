// Reading a sweep, and the runs it makes.
#include "sweep_config.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "../../engine/error.h"
#include "../config_reader.h"
#include "../config_schema.h"
#include "../files.h"
#include "../json_reader.h"

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
  return sweep;
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

Config read_run(JsonNode root, const Combination& arms, Problems& problems) {
  for (const Arm* arm : arms) {
    for (const Setting& setting : arm->settings) {
      const JsonNode* before = find_path(root, setting.path);
      if (before != nullptr && before->at.line == 0 && setting.value.at.line != 0) {
        problems.add(before->at, setting.path, "the sweep sets this too; change it there");
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

// Reads the config of every combination. Problems that the config without the sweep has as well are not told again.
std::vector<Run> expand(const JsonNode& root, const Sweep& sweep, const Config& base, Problems& problems) {
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

// Of a resolved object what was given, and what is the same in the objects of all runs (nullptr: a run has none).
JsonNode common(const JsonNode& object, const JsonNode* given, const std::vector<const JsonNode*>& of_runs) {
  JsonNode kept = JsonNode::object();
  for (const JsonNode& member : object.items) {
    const JsonNode* given_member = given == nullptr ? nullptr : given->find(member.name);
    std::vector<const JsonNode*> members;
    for (const JsonNode* run : of_runs) members.push_back(run == nullptr ? nullptr : run->find(member.name));
    const auto same = [&](const JsonNode* other) { return other != nullptr && to_line(*other) == to_line(member); };
    if (member.type == JsonType::object) {
      kept.add(member.name, common(member, given_member, members));
    } else if (given_member != nullptr || std::all_of(members.begin(), members.end(), same)) {
      kept.add(member.name, member);
    }
  }
  return kept;
}

JsonNode resolved_with_sweep(const Experiment& experiment, const JsonNode& root, const JsonNode& sweep) {
  std::vector<JsonNode> runs;
  for (const Run& run : experiment.runs) runs.push_back(resolved(run.config));
  std::vector<const JsonNode*> of_runs;
  for (const JsonNode& run : runs) of_runs.push_back(&run);
  JsonNode written = common(resolved(experiment.config), &root, of_runs);
  written.add("sweep", sweep);
  return written;
}

}  // namespace

Experiment parse_experiment(const std::string& json, const std::string& name,
                            const std::vector<std::string>& overrides) {
  Problems problems(name);
  JsonNode root = parse_json(json, problems);
  apply_overrides(root, overrides, problems);

  Experiment experiment;
  ConfigReader reader(root, "", problems);
  experiment.config.fields(reader);
  const JsonNode* sweep_node = reader.take("sweep");
  reader.finish();
  if (sweep_node == nullptr) {
    problems.throw_if_any();
    experiment.runs = {{"", {}, experiment.config.seed, experiment.config}};
    experiment.resolved = resolved(experiment.config);
    return experiment;
  }

  const Sweep sweep = read_sweep(*sweep_node, problems);
  const JsonNode* seed = root.find("seed");
  if (seed != nullptr && seed->at.line == 0 && !sweep.seeds.empty()) {
    problems.add(seed->at, "seed", "has no effect where sweep.seeds are given; set sweep.seeds=[…] instead");
  }
  double count = static_cast<double>(std::max<std::size_t>(1, sweep.seeds.size()));
  for (const Axis& axis : sweep.axes) count *= static_cast<double>(axis.size());
  if (count > static_cast<double>(kMostRuns)) {
    problems.add(sweep_node->at, "sweep", text("must make at most ", kMostRuns, " runs, makes ", count));
  }
  const auto of_sweep = [](const Problem& problem) { return problem.path.rfind("sweep", 0) == 0; };
  if (std::none_of(problems.list().begin(), problems.list().end(), of_sweep)) {
    JsonNode without_sweep = root;
    const auto is_sweep = [](const JsonNode& member) { return member.name == "sweep"; };
    std::erase_if(without_sweep.items, is_sweep);
    experiment.runs = expand(without_sweep, sweep, experiment.config, problems);
  }
  problems.throw_if_any();
  experiment.sweep = sweep;
  experiment.resolved = resolved_with_sweep(experiment, root, *sweep_node);
  return experiment;
}

Experiment read_experiment(const std::string& file, const std::vector<std::string>& overrides) {
  return parse_experiment(read_file(file), file, overrides);
}

// --- the schema ------------------------------------------------------------------------------------------------------

namespace {

JsonNode parse_constant(const char* json) {
  Problems none("schema");
  return parse_json(json, none);
}

}  // namespace

std::string experiment_schema() {
  Config defaults;
  SchemaWriter writer;
  defaults.fields(writer);
  writer.add("sweep", parse_constant(R"({
    "type": "object",
    "description": "many runs from one file: every combination of the arms of all axes, with every seed",
    "properties": {
      "seeds": {
        "type": "array", "uniqueItems": true, "items": {"type": "integer", "minimum": 0},
        "description": "the seed of each repetition; the config's own when there are none"
      },
      "axes": {
        "type": "array",
        "description": "each axis is an object of named arms, or of one path with a list of its values",
        "items": {
          "type": "object", "minProperties": 1,
          "anyOf": [
            {"additionalProperties": {"type": "object"}},
            {"maxProperties": 1, "additionalProperties": {"type": "array", "minItems": 1}}
          ]
        }
      }
    },
    "additionalProperties": false
  })"));
  JsonNode schema = JsonNode::object();
  schema.add("$schema", JsonNode::of(std::string("http://json-schema.org/draft-07/schema#")));
  schema.add("title", JsonNode::of(std::string("A Normlab experiment")));
  for (const JsonNode& member : writer.object().items) schema.add(member.name, member);
  return to_lines(schema);
}

}  // namespace normlab

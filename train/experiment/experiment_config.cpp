// Reading an experiment: its own fields, the runs of its sweep, and all that is wrong with either.
#include "experiment_config.h"

#include <algorithm>
#include <array>

#include "../config_reader.h"
#include "../config_schema.h"
#include "../config_writer.h"
#include "../files.h"
#include "../json_reader.h"

namespace normlab {
namespace {

// Takes out what is only said about the runs.
void erase_said(JsonNode& root) {
  constexpr std::array kSaid = {"question", "cost", "claims", "figures"};
  std::erase_if(root.items, [&](const JsonNode& member) {
    return std::find(kSaid.begin(), kSaid.end(), member.name) != kSaid.end();
  });
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

// The config of all runs together.
JsonNode resolved_config(const Experiment& experiment, const JsonNode& root) {
  if (!experiment.sweep) return resolved(experiment.config);
  std::vector<JsonNode> runs;
  for (const Run& run : experiment.runs) runs.push_back(resolved(run.config));
  std::vector<const JsonNode*> of_runs;
  for (const JsonNode& run : runs) of_runs.push_back(&run);
  return common(resolved(experiment.config), &root, of_runs);
}

JsonNode resolved(Experiment& experiment, const JsonNode& root, const JsonNode* sweep) {
  ConfigWriter writer;
  experiment.fields(writer);
  JsonNode& written = writer.object();
  for (const JsonNode& member : resolved_config(experiment, root).items) written.add(member.name, member);
  if (sweep != nullptr) written.add("sweep", *sweep);
  return written;
}

// The value at a path such as "measure.operands[1]", or the last before it that is there.
const JsonNode* nearest(const JsonNode* node, const std::string& path) {
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find_first_of(".[", begin), path.size());
    const std::string part = path.substr(begin, end - begin);
    const JsonNode* next = nullptr;
    if (part.back() == ']') {
      const auto index = static_cast<std::size_t>(std::stoul(part));
      if (node->type == JsonType::array && index < node->items.size()) next = &node->items[index];
    } else {
      next = node->find(part);
    }
    if (next == nullptr) return node;
    node = next;
    begin = end + 1;
  }
  return node;
}

void check_claims(const Experiment& experiment, const JsonNode& root, Problems& problems) {
  static const std::vector<Axis> none;
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < experiment.claims.size(); ++i) {
    const ClaimConfig& claim = experiment.claims[i];
    const std::string path = text("claims[", i, "]");
    for (const auto& [part, message] : troubles(claim, experiment.sweep ? experiment.sweep->axes : none)) {
      problems.add(nearest(&root, path + "." + part)->at, path + "." + part, message);
    }
    if (std::find(ids.begin(), ids.end(), claim.id) != ids.end()) {
      problems.add(nearest(&root, path + ".id")->at, path + ".id", text("the id ", claim.id, " is given twice"));
    }
    ids.push_back(claim.id);
  }
}

void check_figures(const Experiment& experiment, const JsonNode& root, Problems& problems) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < experiment.figures.size(); ++i) {
    const FigureConfig& figure = experiment.figures[i];
    const std::string path = text("figures[", i, "]");
    const std::string wrong = complaint(figure, experiment.sweep ? experiment.sweep->axes : std::vector<Axis>());
    if (!wrong.empty()) problems.add(nearest(&root, path)->at, path, wrong);
    if (std::find(names.begin(), names.end(), figure.name) != names.end()) {
      problems.add(nearest(&root, path + ".name")->at, path + ".name",
                   text("the name ", figure.name, " is given twice"));
    }
    names.push_back(figure.name);
  }
}

JsonNode parse_constant(const char* json) {
  Problems none("schema");
  return parse_json(json, none);
}

}  // namespace

void Experiment::fields(Fields& f) {
  f.string("question", question, "what this experiment is to find out");
  f.string("cost", cost, "how long it takes, in words; shown by normlab list");
  objects(f, "claims", claims, "what is claimed of the results; each ends in a verdict");
  objects(f, "figures", figures, "what the report draws; without any the validation loss over the steps");
}

std::string text_of_runs(JsonNode resolved) {
  erase_said(resolved);
  return to_lines(resolved);
}

Experiment parse_experiment(const std::string& json, const std::string& name,
                            const std::vector<std::string>& overrides) {
  Problems problems(name);
  JsonNode root = parse_json(json, problems);
  apply_overrides(root, overrides, problems);

  Experiment experiment;
  ConfigReader reader(root, "", problems);
  experiment.fields(reader);
  experiment.config.fields(reader);
  const JsonNode* sweep = reader.take("sweep");
  reader.finish();
  if (sweep == nullptr) {
    experiment.runs = {{"", {}, experiment.config.seed, experiment.config}};
  } else {
    experiment.sweep = read_sweep(*sweep, problems);
    const JsonNode* seed = root.find("seed");
    if (seed != nullptr && seed->at.line == 0 && !experiment.sweep->seeds.empty()) {
      problems.add(seed->at, "seed", "has no effect where sweep.seeds are given; set sweep.seeds=[…] instead");
    }
    const auto of_sweep = [](const Problem& problem) { return problem.path.rfind("sweep", 0) == 0; };
    if (std::none_of(problems.list().begin(), problems.list().end(), of_sweep)) {
      JsonNode of_runs = root;
      erase_said(of_runs);
      std::erase_if(of_runs.items, [](const JsonNode& member) { return member.name == "sweep"; });
      experiment.runs = make_runs(of_runs, *experiment.sweep, experiment.config, problems);
    }
  }
  // Claims and figures are held against the sweep once both can be read.
  if (problems.empty()) {
    check_claims(experiment, root, problems);
    check_figures(experiment, root, problems);
  }
  problems.throw_if_any();
  experiment.resolved = resolved(experiment, root, sweep);
  return experiment;
}

Experiment read_experiment(const std::string& file, const std::vector<std::string>& overrides) {
  return parse_experiment(read_file(file), file, overrides);
}

std::string experiment_schema() {
  Experiment defaults;
  SchemaWriter writer;
  defaults.fields(writer);
  defaults.config.fields(writer);
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

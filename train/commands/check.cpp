// ./normlab check: is this config sound? Prints it resolved, the model's size, and the gradient check of a shrunk copy.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <map>
#include <memory>

#include "../commands.h"
#include "../experiment/experiment_config.h"
#include "../run.h"

namespace normlab {
namespace {

// The gradient check of one model; false when its gradients are wrong.
bool check_gradients_of(const Config& config) {
  const ModelCheck check = config.model->check(config.train.label_smoothing, config.seed_of_training());
  const GradcheckResult& result = check.gradients;
  if (!check.stand_in.empty()) {
    fmt::print("  checked with {}, whose published gradient is not the derivative\n", check.stand_in);
  }
  if (result) {
    fmt::print(
        "  gradients of a shrunk copy in f64: {} elements agree with finite differences (worst at {:.2g} of the "
        "tolerance; {} drawn again at a kink)\n",
        result.checked, result.worst, result.redrawn);
  } else {
    fmt::print("  gradients of a shrunk copy in f64 are WRONG\n{}", result.report);
  }
  return static_cast<bool>(result);
}

int check_config(const std::string& file, const std::vector<std::string>& overrides, const std::string& data) {
  const Experiment experiment = read_experiment(file, overrides);
  fmt::print("{}\n", to_lines(experiment.resolved));
  bool sound = true;
  const std::vector<std::string>* last_arms = nullptr;
  std::string corpus_known;
  std::unique_ptr<Data> corpus;
  std::map<std::string, std::string> checked;  // a model and its data: the first arms that have them
  for (const Run& run : experiment.runs) {
    if (last_arms && *last_arms == run.arms) continue;  // another seed of the same
    last_arms = &run.arms;
    const std::string name = run.arms.empty() ? "model" : fmt::format("{}", fmt::join(run.arms, ", "));
    if (!run.config.measurement->of_model()) {
      fmt::print("{}: no model, no data; {} makes what it measures\n", name, run.config.measurement.kind());
      continue;
    }
    const JsonNode whole = resolved(run.config);
    const std::string corpus_wanted = to_line(*whole.find("data"));
    if (corpus_wanted != corpus_known) corpus = load_data(run.config, data);
    corpus_known = corpus_wanted;
    const TrainingSize size = require_memory(run.config, *corpus);
    fmt::print("{}: {} parameters; about {:.0f} MB to train\n", name, size.parameters, size.bytes() / 1e6);
    const auto [first, is_new] =
        checked.try_emplace(text(to_line(*whole.find("model")), corpus_wanted, run.config.train.label_smoothing), name);
    if (is_new) {
      fmt::print("  data: {}\n", corpus->summary());
      sound = check_gradients_of(run.config) && sound;
    } else {
      fmt::print("  model and data are those of {}\n", first->second);
    }
  }
  return sound ? kDone : kFailed;
}

}  // namespace

void add_check(CLI::App& program, int& status) {
  struct Arguments {
    std::string file, data = default_data_directory();
    std::vector<std::string> overrides;
  };
  auto* command = program.add_subcommand(
      "check", "Validate a config, print it resolved with the parameter count, and gradient-check the model in f64");
  auto a = std::make_shared<Arguments>();
  command->add_option("config", a->file, "The config, a JSON file")->required();
  command->add_option("overrides", a->overrides, "path.to.key=value: settings to change");
  command->add_option("--data", a->data, "Where corpora lie (also NORMLAB_DATA)")->capture_default_str();
  command->callback([a, &status] { status = check_config(a->file, a->overrides, a->data); });
}

}  // namespace normlab

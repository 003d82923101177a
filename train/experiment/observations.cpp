// Reading what runs left in their folders.
#include "observations.h"

#include <algorithm>
#include <limits>
#include <set>

#include "../metrics.h"
#include "experiment_config.h"

namespace normlab {
namespace {

namespace fs = std::filesystem;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr char kScore[] = "score.";

// The records of a file that a run may not have written yet.
std::vector<MetricRecord> records(const fs::path& file) {
  return fs::exists(file) ? read_metrics(file) : std::vector<MetricRecord>{};
}

void add(ObservedRun& run, const std::string& quantity, const MetricRecord& record, const std::string& field) {
  if (const auto value = record.number(field)) {
    std::vector<Observation>& seen = run.quantities[quantity];
    const bool in_place = record.event == "average" && !seen.empty() && seen.back().step == record.step;
    if (in_place) seen.pop_back();
    seen.push_back({record.step, record.word("site"), *value});
  }
}

void add_metrics(ObservedRun& run, const MetricRecord& record) {
  if (record.event == "train") {
    for (const char* field : {"loss", "nll"}) add(run, std::string("train_") + field, record, field);
    for (const char* field : {"rate", "gradient_norm", "penalty", "seconds"}) add(run, field, record, field);
  } else if (record.event == "evaluation" || record.event == "average") {
    const std::string suffix = record.word("statistics") == "batch" ? "_by_batch_statistics" : "";
    for (const auto& [field, value] : record.fields) {
      const bool score = field.rfind(kScore, 0) == 0;
      if (!score && field != "nll" && field != "perplexity") continue;
      const std::string name = score ? field.substr(sizeof kScore - 1) : field;
      add(run, record.word("split") + "_" + name + suffix, record, field);
    }
  }
}

bool is_loss(const std::string& quantity) {
  static const std::set<std::string> kLosses = {"train_loss", "train_nll"};
  return kLosses.count(quantity) > 0 || quantity.find("_nll") != std::string::npos ||
         quantity.find("_perplexity") != std::string::npos;
}

bool is_score(const std::string& quantity) {
  const bool evaluated = quantity.rfind("valid_", 0) == 0 || quantity.rfind("test_", 0) == 0;
  return evaluated && !is_loss(quantity);
}

// `known` are the quantities that any of the runs has.
void end_in_divergence(ObservedRun& run, const std::set<std::string>& known) {
  for (const std::string& quantity : known) {
    if (!is_loss(quantity) && !is_score(quantity)) continue;
    run.quantities[quantity].push_back({run.result->diverged_step, "", is_loss(quantity) ? kInfinity : 0});
  }
}

}  // namespace

const std::vector<Observation>& ObservedRun::of(const std::string& quantity) const {
  static const std::vector<Observation> none;
  const auto found = quantities.find(quantity);
  return found == quantities.end() ? none : found->second;
}

std::optional<double> ObservedRun::last(const std::string& quantity, const std::string& site) const {
  const std::vector<Observation>& all = of(quantity);
  const auto found = std::find_if(all.rbegin(), all.rend(), [&](const Observation& seen) { return seen.site == site; });
  return found == all.rend() ? std::nullopt : std::optional(found->value);
}

bool is_measured_inside(const std::string& quantity) {
  static const std::set<std::string> kOthers = {"train_loss", "train_nll", "rate",     "gradient_norm",
                                                "penalty",    "seconds",   "diverged", "diverged_step"};
  return kOthers.count(quantity) == 0 && quantity.rfind("valid_", 0) != 0 && quantity.rfind("test_", 0) != 0;
}

std::vector<ObservedRun> observe(const Experiment& experiment, const fs::path& folder) {
  std::vector<ObservedRun> runs;
  for (const Run& run : experiment.runs) {
    ObservedRun observed{run.name, run.arms, run.seed, RunState::missing, {}, {}};
    const fs::path own = run_folder(run, folder);
    if (fs::exists(own / "config.json")) {
      observed.result = finished_run(run.config, own);
      observed.state = !observed.result              ? RunState::unfinished
                       : observed.result->diverged() ? RunState::diverged
                                                     : RunState::finished;
      for (const MetricRecord& record : records(own / "metrics.jsonl")) add_metrics(observed, record);
      for (const char* file : {"probes.jsonl", "measurements.jsonl"}) {
        for (const MetricRecord& record : records(own / file)) add(observed, record.word("quantity"), record, "value");
      }
    }
    if (observed.over()) {
      const double diverged = observed.state == RunState::diverged ? 1 : 0;
      observed.quantities["diverged"] = {{observed.result->steps, "", diverged}};
      if (diverged > 0) {
        const auto step = observed.result->diverged_step;
        observed.quantities["diverged_step"] = {{step, observed.result->diverged_site, static_cast<double>(step)}};
      }
    }
    runs.push_back(std::move(observed));
  }
  std::set<std::string> known = {"valid_nll", "valid_perplexity"};
  for (const ObservedRun& run : runs) {
    for (const auto& [quantity, observations] : run.quantities) known.insert(quantity);
  }
  for (ObservedRun& run : runs) {
    if (run.state == RunState::diverged) end_in_divergence(run, known);
  }
  return runs;
}

}  // namespace normlab

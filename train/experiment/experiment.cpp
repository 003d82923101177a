// Runs, table and summary.
#include "experiment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "../files.h"
#include "../json_reader.h"
#include "../metrics.h"
#include "observations.h"
#include "scheduler.h"

namespace normlab {
namespace {

namespace fs = std::filesystem;

Interval interval_of(const std::vector<RunResult>& runs, double (*value)(const RunResult&)) {
  std::vector<double> values;
  for (const RunResult& run : runs) {
    if (!run.diverged() && std::isfinite(value(run))) values.push_back(value(run));
  }
  return mean_interval(values);
}

ExperimentResult gather(const Experiment& experiment, const std::vector<RunResult>& results) {
  ExperimentResult all;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto& arms = experiment.runs[i].arms;
    const auto same = [&](const ArmResult& arm) { return arm.arms == arms; };
    auto found = std::find_if(all.arms.begin(), all.arms.end(), same);
    if (found == all.arms.end()) found = all.arms.insert(found, ArmResult{arms, {}, 0, {}});
    found->runs.push_back(results[i]);
    found->diverged += results[i].diverged();
    all.diverged_runs += results[i].diverged();
    all.seconds += results[i].seconds;
  }
  for (ArmResult& arm : all.arms) {
    arm.valid_nll = interval_of(arm.runs, [](const RunResult& run) { return run.final_nll; });
  }
  return all;
}

// exp(mean) with the interval's ends, "12.34 (11.90 to 12.80)".
std::string perplexity_text(const Interval& nll) {
  if (!std::isfinite(nll.mean)) return "-";
  const std::string mean = fmt::format("{:.2f}", std::exp(nll.mean));
  if (!std::isfinite(nll.half_width)) return mean;
  return fmt::format("{}  ({:.2f} to {:.2f})", mean, std::exp(nll.mean - nll.half_width),
                     std::exp(nll.mean + nll.half_width));
}

// The mean of each score over the runs of an arm that did not diverge.
std::map<std::string, double> mean_scores(const ArmResult& arm) {
  std::map<std::string, double> means;
  const auto counted = static_cast<double>(std::ssize(arm.runs) - arm.diverged);
  for (const RunResult& run : arm.runs) {
    for (const auto& [name, score] : run.scores) means[name] += score / counted;  // one that diverged has none
  }
  return means;
}

void write_summary(const Experiment& experiment, const std::vector<RunResult>& results, const fs::path& file) {
  std::vector<MetricRecord> rows;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const RunResult& r = results[i];
    MetricRecord row{"run", r.steps, {}};
    row.fields = {{"arms", label_of(experiment.runs[i].arms)},
                  {"seed", experiment.runs[i].seed},
                  {"parameters", r.parameters},
                  {"diverged_step", r.diverged_step},
                  {"valid_nll", r.final_nll},
                  {"best_nll", r.best_nll},
                  {"best_step", r.best_step}};
    if (r.test_nll) row.fields.emplace_back("test_nll", *r.test_nll);
    if (r.final_nll_by_batch) row.fields.emplace_back("valid_nll_by_batch_statistics", *r.final_nll_by_batch);
    if (r.test_nll_by_batch) row.fields.emplace_back("test_nll_by_batch_statistics", *r.test_nll_by_batch);
    for (const auto& [name, score] : r.scores) row.fields.emplace_back(name, score);
    row.fields.emplace_back("seconds", r.seconds);
    rows.push_back(row);
  }
  write_metrics_csv(file, rows);
}

// Does the folder hold this experiment? Error when it holds one with other runs. Settings that are newer than the
// program that wrote it have their defaults; what cannot be read is compared as it is.
bool holds_experiment(const Experiment& experiment, const fs::path& folder) {
  const fs::path file = folder / "experiment.json";
  if (!fs::exists(file)) return false;
  std::string held = text_of_runs(read_json(file));
  try {
    held = text_of_runs(parse_experiment(held, file.string()).resolved);
  } catch (const Error&) {
  }
  require_same_config(held, text_of_runs(experiment.resolved), folder);
  return true;
}

}  // namespace

std::optional<Floor> floor_of(const std::vector<double>& entropies) {
  if (entropies.empty()) return std::nullopt;
  const bool one = std::adjacent_find(entropies.begin(), entropies.end(), std::not_equal_to<>()) == entropies.end();
  return Floor{std::exp(mean_interval(entropies).mean), one};
}

ExperimentResult run_experiment(const Experiment& experiment, const ExperimentSettings& settings) {
  const bool begun = holds_experiment(experiment, settings.folder);
  const bool all_done = std::all_of(experiment.runs.begin(), experiment.runs.end(), [&](const Run& run) {
    return fs::exists(run_folder(run, settings.folder) / "result.json");
  });
  check(!begun || settings.resume || all_done, settings.folder.string(),
        ": holds an unfinished run of this config; go on with --resume, or choose another folder with --out");
  const std::vector<RunResult> results = run_all(experiment, settings);
  write_summary(experiment, results, settings.folder / "summary.csv");
  return gather(experiment, results);
}

namespace {

// Of each arm and quantity that was measured, the last values at the first site to the last: means over seeds.
std::string measurements_table(const Experiment& experiment, const fs::path& folder) {
  struct Row {
    std::string label, quantity;
    std::vector<std::string> sites = {};
    std::vector<std::vector<double>> values = {};  // of each site, over seeds
  };
  std::vector<Row> rows;
  for (const ObservedRun& run : observe(experiment, folder)) {
    const std::string label = label_of(run.arms);
    for (const auto& entry : run.quantities) {
      const std::string& quantity = entry.first;
      if (!is_measured_inside(quantity)) continue;
      const auto is_same = [&](const Row& row) { return row.label == label && row.quantity == quantity; };
      auto row = std::find_if(rows.begin(), rows.end(), is_same);
      if (row == rows.end()) row = rows.insert(row, Row{label, quantity});
      for (const Observation& seen : entry.second) {
        if (std::find(row->sites.begin(), row->sites.end(), seen.site) == row->sites.end()) {
          row->sites.push_back(seen.site);
          row->values.emplace_back();
        }
      }
      for (std::size_t i = 0; i < row->sites.size(); ++i) {
        if (const auto value = run.last(quantity, row->sites[i])) row->values[i].push_back(*value);
      }
    }
  }
  std::string out, label;
  for (const Row& row : rows) {
    if (row.label != label) out += fmt::format("  {}\n", row.label);
    label = row.label;
    out += fmt::format("    {:<32}", row.quantity);
    for (const auto& values : row.values) out += fmt::format(" {:.4g}", mean_interval(values).mean);
    if (row.sites.size() > 1) out += fmt::format("   ({} to {})", row.sites.front(), row.sites.back());
    out += "\n";
  }
  return out;
}

// The data of a run that is done; nothing where they have gone since, or are others now.
std::unique_ptr<Data> data_of(const Run& run, const ExperimentSettings& settings) {
  try {
    std::unique_ptr<Data> data = load_data(run.config, settings.data_directory);
    if (data->fingerprint() == recorded_data(run_folder(run, settings.folder))) return data;
  } catch (const Error&) {
  }
  return nullptr;
}

// What is known without training, of the data of the first run; the entropy of made-up data is the mean over the runs.
std::vector<Baseline> baselines_of(const Experiment& experiment, const ExperimentResult& result,
                                   const ExperimentSettings& settings) {
  const Run& first = experiment.runs.front();
  const std::unique_ptr<Data> data = data_of(first, settings);
  if (!data && !settings.quiet) {
    fmt::print(stderr, "{}: the data of the runs are no longer there; what is known without training is left out\n",
               settings.folder.string());
  }
  std::vector<Baseline> all = data ? first.config.model->baselines(*data) : std::vector<Baseline>();
  std::vector<double> entropies;
  for (const ArmResult& arm : result.arms) {
    for (const RunResult& run : arm.runs) {
      if (run.entropy) entropies.push_back(*run.entropy);
    }
  }
  const std::optional<Floor> floor = floor_of(entropies);
  if (!floor) return all;
  if (!floor->one_language) {
    for (Baseline& baseline : all) baseline.doc = "of the first run's language";
  }
  all.push_back({"floor", floor->perplexity,
                 floor->one_language ? "the language's own entropy: no model can do better"
                                     : "the entropy of the runs' own languages, on average: no model can do better"});
  return all;
}

}  // namespace

std::string summary_table(const Experiment& experiment, const ExperimentResult& result,
                          const ExperimentSettings& settings) {
  if (!experiment.config.measurement->only_trains()) {
    return experiment.question + "\n\n" + measurements_table(experiment, settings.folder);
  }
  std::size_t width = 5;
  for (const ArmResult& arm : result.arms) width = std::max(width, label_of(arm.arms).size());
  std::string out = experiment.question.empty() ? "" : experiment.question + "\n\n";
  out += fmt::format("  {:<{}}  {:>5}  {:>8}  validation perplexity (95 % interval over seeds)\n", "", width, "seeds",
                     "diverged");
  for (const ArmResult& arm : result.arms) {
    out += fmt::format("  {:<{}}  {:>5}  {:>8}  {}\n", label_of(arm.arms), width, arm.runs.size(), arm.diverged,
                       perplexity_text(arm.valid_nll));
  }
  std::string scores;
  for (const ArmResult& arm : result.arms) {
    std::string line;
    for (const auto& [name, score] : mean_scores(arm)) line += fmt::format("  {} {:.2f}", name, score);
    if (!line.empty()) scores += fmt::format("  {:<{}}{}\n", label_of(arm.arms), width, line);
  }
  if (!scores.empty()) out += "\n" + scores;
  std::set<std::string> notes;  // one for each definition, where arms differ
  for (const ArmResult& arm : result.arms) {
    for (const RunResult& run : arm.runs) {
      for (const auto& [name, what] : run.score_definitions) notes.insert(fmt::format("{}: {}", name, what));
      if (run.averaged > 0)
        notes.insert(fmt::format("final figures: of the mean of the last {} checkpoints", run.averaged));
    }
  }
  for (const std::string& note : notes) out += fmt::format("{}  {}\n", note == *notes.begin() ? "\n" : "", note);
  const std::vector<Baseline> baselines = baselines_of(experiment, result, settings);
  if (!baselines.empty()) out += "\n";
  for (const Baseline& baseline : baselines) {
    const std::string doc = baseline.doc.empty() ? "" : "  " + baseline.doc;
    out += fmt::format("  {:<{}}                   {:.2f}{}\n", baseline.name, width, baseline.perplexity, doc);
  }
  return out;
}

}  // namespace normlab

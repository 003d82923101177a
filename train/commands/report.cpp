// ./normlab report: what finished or running experiments say, computed anew from their folders.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "../commands.h"
#include "../experiment/verdict.h"

namespace normlab {
namespace {

namespace fs = std::filesystem;

bool is_experiment(const fs::path& folder) { return fs::exists(folder / "experiment.json"); }

// The folder itself, or the experiments somewhere below it.
std::vector<fs::path> experiments_in(const fs::path& folder) {
  check(fs::is_directory(folder), folder.string(), ": is no folder; give one that normlab run wrote");
  if (is_experiment(folder)) return {folder};
  std::vector<fs::path> found;
  for (auto entry = fs::recursive_directory_iterator(folder); entry != fs::recursive_directory_iterator(); ++entry) {
    if (!entry->is_directory() || !is_experiment(entry->path())) continue;
    found.push_back(entry->path());
    entry.disable_recursion_pending();
  }
  check(!found.empty(), folder.string(), ": holds no experiment, there is no experiment.json in it or below");
  std::sort(found.begin(), found.end());
  return found;
}

void report(const fs::path& folder) {
  const Experiment experiment = read_experiment((folder / "experiment.json").string());
  const std::vector<ObservedRun> runs = observe(experiment, folder);
  const auto over = std::count_if(runs.begin(), runs.end(), [](const ObservedRun& run) { return run.over(); });
  fmt::print("{}: {} of {} runs are over\n", folder.string(), over, runs.size());
  if (!experiment.question.empty()) fmt::print("{}\n", experiment.question);
  const std::vector<ClaimResult> results = judge(experiment, runs);
  write_verdicts(results, folder);
  fmt::print("\n{}\n", results.empty() ? "  it states no claims\n" : verdict_table(results));
}

}  // namespace

void add_report(CLI::App& program, int& status) {
  auto* command = program.add_subcommand(
      "report", "The verdicts of experiments, finished or still running, computed anew from their folders");
  auto folders = std::make_shared<std::vector<std::string>>();
  command->add_option("folders", *folders, "Folders that normlab run wrote, or folders of such folders")->required();
  command->callback([folders, &status] {
    for (const std::string& folder : *folders) {
      for (const fs::path& experiment : experiments_in(folder)) report(experiment);
    }
    status = kDone;
  });
}

}  // namespace normlab

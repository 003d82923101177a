// ./normlab run: an experiment from its config to its table.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "../../engine/parallel.h"
#include "../commands.h"
#include "../environment.h"
#include "../experiment/experiment.h"
#include "../experiment/verdict.h"
#include "../interrupt.h"
#include "../progress_bar.h"
#include "../report/report.h"
#include "../trainer.h"

namespace normlab {
namespace {

namespace fs = std::filesystem;

const fs::path kRuns = "runs";

struct Arguments {
  std::string file, out, share, data = default_data_directory();
  std::vector<std::string> overrides;
  bool resume = false, quiet = false;
  int threads = 0, side_by_side = 0;
};

// configs/ptb/warmup.json -> runs/ptb/warmup; any other file.json -> runs/file.
fs::path default_folder(const fs::path& config) {
  fs::path name = config.filename().replace_extension();
  for (fs::path parent = config.parent_path(); parent.has_filename() && parent != parent.root_path();
       parent = parent.parent_path()) {
    if (parent.filename() == "configs") return kRuns / name;
    name = parent.filename() / name;
  }
  return kRuns / config.filename().replace_extension();
}

// A word as a shell reads it.
std::string shell_word(const std::string& word) {
  constexpr const char* kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

// What to type for the same experiment: all that decides its results.
std::string command_line(const Arguments& a) {
  std::string line = "./normlab run " + shell_word(a.file);
  for (const std::string& setting : a.overrides) line += " " + shell_word(setting);
  if (!a.out.empty()) line += " --out " + shell_word(a.out);
  if (a.data != default_data_directory()) line += " --data " + shell_word(a.data);
  return line;
}

int run(const Arguments& a) {
  if (a.threads > 0) set_threads(a.threads);
  catch_interrupts();
  const Experiment experiment = read_experiment(a.file, a.overrides);
  ExperimentSettings settings;
  settings.folder = a.out.empty() ? default_folder(a.file) : fs::path(a.out);
  settings.data_directory = a.data;
  settings.resume = a.resume;
  settings.quiet = a.quiet;
  settings.command = command_line(a);
  settings.side_by_side = a.side_by_side;
  check(a.share.empty() || a.share == "none" || fs::is_directory(a.share), "--share: ", a.share,
        " is no folder; give one that holds experiments, or none");
  if (!a.share.empty()) {
    settings.share = a.share == "none" ? "" : a.share;
  } else if (a.out.empty()) {
    settings.share = kRuns;
  }
  if (!a.quiet) fmt::print(stderr, "{}\n", environment_line());

  const ExperimentResult result = run_experiment(experiment, settings);
  fmt::print("{}", summary_table(experiment, result, settings));
  const std::vector<ObservedRun> runs = observe(experiment, settings.folder);
  const std::vector<ClaimResult> verdicts = judge(experiment, runs);
  write_verdicts(verdicts, settings.folder);
  if (!verdicts.empty()) fmt::print("\n{}", verdict_table(verdicts));
  try {
    write_report(experiment, runs, verdicts, settings.folder);
  } catch (const Interrupted&) {
    throw Interrupted(text("stopped while the report was written; all runs are done: ./normlab report ",
                           shell_word(settings.folder.string()), " writes it"));
  }
  fmt::print("\n  {} of work; the report is {}\n", duration_text(result.seconds),
             (settings.folder / "report.html").string());
  // In an experiment of several runs a diverged one is a datum; alone it is the outcome.
  const bool single = experiment.runs.size() == 1 && experiment.runs[0].name.empty();
  if (single && result.diverged_runs > 0) {
    const RunResult& r = result.arms.front().runs.front();
    throw Diverged(r.diverged_step, r.diverged_site,
                   text("training diverged at step ", r.diverged_step, ", first at ", r.diverged_site,
                        "; try a smaller rate, a longer warm-up or gradient clipping (train.clip)"));
  }
  return kDone;
}

}  // namespace

std::string default_data_directory() {
  if (const char* named = std::getenv("NORMLAB_DATA"); named && *named) return named;
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache) return std::string(cache) + "/normlab";
  if (const char* home = std::getenv("HOME"); home && *home) return std::string(home) + "/.cache/normlab";
  return ".";
}

void add_run(CLI::App& program, int& status) {
  auto* command =
      program.add_subcommand("run", "Run an experiment: train what its config says, end in a table and a report");
  auto a = std::make_shared<Arguments>();
  command->add_option("config", a->file, "The config, a JSON file")->required();
  command->add_option("overrides", a->overrides, "path.to.key=value: settings to change");
  command->add_option("--out", a->out, "Folder of the results; by default runs/<name of the config>");
  command->add_flag("--resume", a->resume, "Go on where an earlier run of this config was stopped");
  command->add_option("--threads", a->threads, "Threads; by default all cores. The results are the same")
      ->check(CLI::Range(1, 1024));
  command
      ->add_option("--side-by-side", a->side_by_side, "Runs at once; by default one on each thread, if memory allows")
      ->check(CLI::Range(1, 1024));
  command->add_option(
      "--share", a->share,
      "Take over finished runs of the same config from the experiments in this folder, or from none; by "
      "default from runs/, but from none with --out");
  command->add_option("--data", a->data, "Where corpora lie (also NORMLAB_DATA)")->capture_default_str();
  command->add_flag("--quiet", a->quiet, "No progress, only the result");
  command->callback([a, &status] { status = run(*a); });
}

}  // namespace normlab

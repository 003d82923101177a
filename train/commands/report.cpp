// ./normlab report: what finished or running experiments say, computed anew from their folders.
#include "../report/report.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "../commands.h"
#include "../experiment/verdict.h"
#include "../report/index.h"
#include "../report/ledger.h"

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

struct Reported {
  Experiment experiment;
  std::vector<ObservedRun> runs;
  std::vector<ClaimResult> results;
  Provenance made;
};

Reported report(const fs::path& folder) {
  Reported r{read_experiment((folder / "experiment.json").string()), {}, {}, {}};
  r.runs = observe(r.experiment, folder);
  r.results = judge(r.experiment, r.runs);
  r.made = provenance(r.experiment, folder);
  const RunCounts counts = count(r.runs);
  fmt::print("{}: {} of {} runs are over\n", folder.string(), counts.over(), counts.all());
  if (!r.experiment.question.empty()) fmt::print("{}\n", r.experiment.question);
  write_verdicts(r.results, folder);
  write_report(r.experiment, r.runs, r.results, folder);
  fmt::print("\n{}\n", r.results.empty() ? "  it states no claims\n" : verdict_table(r.results));
  return r;
}

struct Arguments {
  std::vector<std::string> folders;
  std::string ledger;
};

void report_all(const Arguments& a) {
  std::vector<LedgerEntry> ledger;
  for (const std::string& folder : a.folders) {
    std::vector<IndexEntry> index;
    for (const fs::path& place : experiments_in(folder)) {
      const Reported r = report(place);
      const RunCounts counts = count(r.runs);
      index.push_back({place, r.experiment.question, counts, r.made.date(), r.results});
      if (!r.results.empty() && counts.over() == counts.all()) ledger.push_back({place, r.results, r.made});
      if (!a.ledger.empty() && counts.over() < counts.all()) {
        fmt::print("{}: not in the ledger, since its runs are not over\n", place.string());
      } else if (!a.ledger.empty() && r.results.empty()) {
        fmt::print("{}: not in the ledger, since it states no claims\n", place.string());
      }
    }
    if (is_experiment(folder)) {
      fmt::print("the report is {}\n", (fs::path(folder) / "report.html").string());
    } else {
      write_index(index, folder);
      fmt::print("the reports are listed in {}\n", (fs::path(folder) / "index.html").string());
    }
  }
  if (ledger.empty() || a.ledger.empty()) return;
  write_ledger(ledger, a.ledger);
  fmt::print("{} experiment{} in the ledger {}\n", ledger.size(), ledger.size() == 1 ? "" : "s",
             (fs::path(a.ledger) / "README.md").string());
}

}  // namespace

void add_report(CLI::App& program, int& status) {
  auto* command = program.add_subcommand(
      "report", "Verdicts, figures and report of experiments, finished or still running, made anew from their folders");
  auto a = std::make_shared<Arguments>();
  command->add_option("folders", a->folders, "Folders that normlab run wrote, or folders of such folders")->required();
  command->add_option("--ledger", a->ledger,
                      "Also put the verdicts into the ledger of this folder, such as configs/xiong2020: into its "
                      "README.md, with figures and numbers beside it");
  command->callback([a, &status] {
    report_all(*a);
    status = kDone;
  });
}

}  // namespace normlab

// ./normlab list: the configs, each with its question, its cost and the claims it tests.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "../commands.h"
#include "../experiment/experiment_config.h"
#include "../problems.h"

namespace normlab {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> config_files(const fs::path& folder) {
  check(fs::is_directory(folder), "list: ", folder.string(),
        " is no folder of configs; name one, or run this beside configs/");
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().extension() == ".json") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void list(const std::string& folder) {
  const auto files = config_files(folder);
  for (const std::string& file : files) {
    fmt::print("{}\n", file);
    try {
      const Experiment experiment = read_experiment(file);
      fmt::print("  {}\n", experiment.question.empty() ? "(no question)" : experiment.question);
      std::vector<std::string> ids;
      for (const ClaimConfig& claim : experiment.claims) ids.push_back(claim.id);
      std::string facts = experiment.cost;
      if (!ids.empty()) facts += fmt::format("{}claims {}", facts.empty() ? "" : "; ", listed(ids));
      if (!facts.empty()) fmt::print("  {}\n", facts);
    } catch (const Error& error) {
      fmt::print("  cannot be read: {}\n", error.what());
    }
    fmt::print("\n");
  }
  fmt::print("{} config{}. Run one with: ./normlab run FILE\n", files.size(), files.size() == 1 ? "" : "s");
}

}  // namespace

void add_list(CLI::App& program, int& status) {
  auto* command =
      program.add_subcommand("list", "The configs, each with its question, its cost and the claim it tests");
  auto folder = std::make_shared<std::string>("configs");
  command->add_option("folder", *folder, "Where to look")->capture_default_str();
  command->callback([folder, &status] {
    list(*folder);
    status = kDone;
  });
}

}  // namespace normlab

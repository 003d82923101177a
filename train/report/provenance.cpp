// Reading the run.json of every run.
#include "provenance.h"

#include <algorithm>

#include "../files.h"
#include "../json_reader.h"

namespace normlab {
namespace {

namespace fs = std::filesystem;

constexpr char kCommandFile[] = "command.txt";

std::string shown(const JsonNode& value) { return value.type == JsonType::string ? value.string : to_line(value); }

void add(Provenance& all, const std::string& name, const std::string& value) {
  const auto same = [&](const auto& known) { return known.first == name; };
  auto found = std::find_if(all.environment.begin(), all.environment.end(), same);
  if (found == all.environment.end()) found = all.environment.insert(found, {name, {}});
  std::vector<std::string>& values = found->second;
  if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
}

}  // namespace

std::string Provenance::of(const std::string& name) const {
  std::string joined;
  for (const auto& [known, values] : environment) {
    if (known != name) continue;
    for (const std::string& value : values) joined += (joined.empty() ? "" : "; ") + value;
  }
  return joined;
}

Provenance provenance(const Experiment& experiment, const fs::path& folder) {
  Provenance all;
  for (const Run& run : experiment.runs) {
    const fs::path file = run_folder(run, folder) / "run.json";
    if (!fs::exists(file)) continue;
    const JsonNode json = read_json(file);
    for (const JsonNode& member : json.items) {
      if (member.name == "seed") continue;
      if (member.name != "started") {
        add(all, member.name, shown(member));
        continue;
      }
      if (all.first_started.empty() || member.string < all.first_started) all.first_started = member.string;
      all.last_started = std::max(all.last_started, member.string);
    }
  }
  return all;
}

RunCounts count(const std::vector<ObservedRun>& runs) {
  RunCounts counts;
  for (const ObservedRun& run : runs) {
    counts.finished += run.state == RunState::finished;
    counts.diverged += run.state == RunState::diverged;
    counts.unfinished += run.state == RunState::unfinished;
    counts.missing += run.state == RunState::missing;
    if (run.result) counts.seconds += run.result->seconds;
  }
  return counts;
}

std::string experiment_name(const fs::path& folder) {
  const fs::path whole = fs::weakly_canonical(folder);
  std::string name;
  for (const fs::path& part : whole) {
    if (part == "runs") {
      name.clear();
    } else if (!part.empty() && part != part.root_path()) {
      if (!name.empty()) name += '/';
      name += part.string();
    }
  }
  const bool in_runs = std::find(whole.begin(), whole.end(), fs::path("runs")) != whole.end();
  return in_runs && !name.empty() ? name : whole.filename().string();
}

std::string command_of(const fs::path& folder) {
  if (fs::exists(folder / kCommandFile)) {
    std::string command = read_file(folder / kCommandFile);
    while (!command.empty() && command.back() == '\n') command.pop_back();
    return command;
  }
  return "./normlab run " + (folder / "experiment.json").lexically_normal().string() + " --out NEW_FOLDER";
}

}  // namespace normlab

// Finding finished runs, and taking them over.
#include "sharing.h"

#include <system_error>

#include "../../data/hash.h"
#include "../environment.h"
#include "../files.h"
#include "../folder_lock.h"
#include "../json_reader.h"

namespace normlab {
namespace {

namespace fs = std::filesystem;

// All that decides the bits of a run but its data: the config and some fields of run.json.
template <class Field>
std::string identity(const std::string& config, Field field) {
  return Hash().add(config).add(field("program")).add(field("processor")).add(field("gemm")).text();
}

std::string word(const JsonNode& object, const std::string& name) {
  const JsonNode* node = object.find(name);
  return node == nullptr ? "" : node->string;
}

// Another name for the file, or where the file system knows none, a copy.
void link_file(const fs::path& from, const fs::path& to) {
  std::error_code refused;
  fs::create_hard_link(from, to, refused);
  if (refused) write_file(to, read_file(from));
}

}  // namespace

FinishedRuns::FinishedRuns(const fs::path& root) { look(root, 4); }

void FinishedRuns::look(const fs::path& folder, int levels) {
  std::error_code unreadable;
  if (fs::exists(folder / "result.json", unreadable)) {
    try {
      const JsonNode made = read_json(folder / "run.json");
      if (word(made, "program").empty() || word(made, "program") == "unknown") return;
      const std::string key =
          identity(read_file(folder / "config.json"), [&](const char* name) { return word(made, name); });
      runs_.insert({key, {folder, word(made, "data")}});
    } catch (const Error&) {
      // What cannot be read cannot be shared; it is no business of the experiment that is run.
    }
    return;
  }
  if (levels == 0) return;
  for (const auto& entry : fs::directory_iterator(folder, fs::directory_options::skip_permission_denied, unreadable)) {
    if (entry.is_directory(unreadable)) look(entry.path(), levels - 1);
  }
}

std::optional<fs::path> FinishedRuns::find(const Config& config, const std::function<std::string()>& data) const {
  if (runs_.empty()) return std::nullopt;
  std::map<std::string, std::string> here;
  for (const auto& [name, value] : environment()) here[name] = value;
  const auto [first, last] =
      runs_.equal_range(identity(to_lines(resolved(config)), [&](const char* name) { return here[name]; }));
  for (auto found = first; found != last; ++found) {
    if (found->second.data.empty() || found->second.data == data()) return found->second.folder;
  }
  return std::nullopt;
}

void take_over(const fs::path& from, const fs::path& to) {
  require_writable_directory(to);
  const FolderLock lock(to);
  const auto copy = [&](const char* name) {
    if (fs::exists(from / name)) write_file(to / name, read_file(from / name));
  };
  // An unfinished beginning of the same run gives way. What the run told comes before its checkpoints, so that one that
  // is taken over by half goes on from the last of them, or begins anew.
  fs::remove_all(to / "checkpoints");
  for (const char* name : {"metrics.jsonl", "metrics.csv", "probes.jsonl", "measurements.jsonl"}) copy(name);
  if (fs::exists(from / "checkpoints")) {
    require_writable_directory(to / "checkpoints");
    for (const auto& entry : fs::directory_iterator(from / "checkpoints")) {
      if (entry.path().extension() == ".safetensors")
        link_file(entry.path(), to / "checkpoints" / entry.path().filename());
    }
  }
  JsonNode made = read_json(from / "run.json");
  if (made.find("shared_from") == nullptr) made.add("shared_from", JsonNode::of(fs::absolute(from).string()));
  write_file(to / "run.json", to_lines(made));
  copy("config.json");
  copy("result.json");  // with it the run is finished
}

}  // namespace normlab

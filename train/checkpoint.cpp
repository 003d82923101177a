// A run's tensors and texts to and from one safetensors file.
#include "checkpoint.h"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <utility>

#include "safetensors.h"

namespace normlab {
namespace {

constexpr const char* kFormat = "normlab checkpoint 1";  // the number rises when old files can no longer be read
constexpr const char* kModel = "model.";
constexpr const char* kPrefix = "step_";
constexpr const char* kSuffix = ".safetensors";
constexpr int kMostProblems = 20;  // a checkpoint of another model would list every tensor of both

// The tensors by their names in the file.
std::map<std::string, Tensor> by_name(const RunTensors& run) {
  std::map<std::string, Tensor> all;
  const auto add = [&](const char* prefix, const std::vector<Named>& list) {
    for (const Named& named : list) {
      const bool fresh = all.emplace(prefix + named.path, named.tensor).second;
      check(fresh, "checkpoint: two tensors are named ", prefix, named.path);
    }
  };
  add(kModel, run.parameters);
  add(kModel, run.buffers);
  add("optimizer.", run.optimizer);
  return all;
}

// The counters of progress with their keys in the metadata.
template <class AnyProgress>
auto counters(AnyProgress& progress) {
  return std::vector{std::pair("step", &progress.step), std::pair("batch", &progress.batch),
                     std::pair("tokens", &progress.tokens)};
}

// The number that `digits` spell, if they do.
std::optional<std::int64_t> number_of(std::string_view digits) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

CheckpointInfo parse_info(std::map<std::string, std::string> metadata) {
  const auto take = [&](const char* key) {
    const auto entry = metadata.extract(key);
    check(!entry.empty(), "not a checkpoint of Normlab: its metadata lack \"", key, '"');
    return entry.mapped();
  };
  const std::string format = take("format");
  check(format == kFormat, "the format must be \"", kFormat, "\", it is \"", format, '"');
  CheckpointInfo info;
  for (const auto& counter : counters(info.progress)) {
    const std::string digits = take(counter.first);
    const std::optional<std::int64_t> number = number_of(digits);
    check(number && *number >= 0, counter.first, " in its metadata must be a whole number from 0, it is \"", digits,
          '"');
    *counter.second = *number;
  }
  info.config = take("config");
  info.extra = std::move(metadata);
  return info;
}

// All that keeps the file's tensors from being those of the run, one line each; empty when they fit.
std::string differences(const std::map<std::string, Tensor>& run, const std::map<std::string, Tensor>& file) {
  std::vector<std::string> problems;
  for (const auto& [name, tensor] : run) {
    const auto found = file.find(name);
    if (found == file.end()) {
      problems.push_back(text("missing: ", name, ' ', tensor.shape(), ' ', tensor.dtype()));
    } else if (found->second.shape() != tensor.shape()) {
      problems.push_back(text("shape: ", name, " is ", tensor.shape(), ", in the file ", found->second.shape()));
    } else if (found->second.dtype() != tensor.dtype()) {
      problems.push_back(text("dtype: ", name, " is ", tensor.dtype(), ", in the file ", found->second.dtype()));
    }
  }
  for (const auto& [name, tensor] : file) {
    if (!run.contains(name)) problems.push_back(text("unexpected: ", name, ' ', tensor.shape(), ' ', tensor.dtype()));
  }
  std::ostringstream lines;
  for (std::size_t i = 0; i < problems.size(); ++i) {
    if (i == kMostProblems) {
      lines << "\n  … and " << problems.size() - i << " more";
      break;
    }
    lines << "\n  " << problems[i];
  }
  return lines.str();
}

struct Checkpoint {
  std::map<std::string, Tensor> tensors;
  CheckpointInfo info;
};

Checkpoint read_checkpoint(const std::filesystem::path& path) {
  Safetensors file;
  try {
    file = read_safetensors(path);
  } catch (const MachineError&) {
    throw;
  } catch (const Error& error) {
    throw Error(text(error.what(), "\nIf it is damaged, delete it: --resume then goes on from the one before it."));
  }
  try {
    return {std::move(file.tensors), parse_info(std::move(file.metadata))};
  } catch (const Error& error) {
    throw Error(text(path.string(), ": ", error.what()));
  }
}

void require_same_tensors(const std::filesystem::path& path, const std::map<std::string, Tensor>& run,
                          const std::map<std::string, Tensor>& file) {
  const std::string problems = differences(run, file);
  check(problems.empty(), path.string(), ": the checkpoint is of another model or optimizer:", problems,
        "\nResume with the config that wrote it (it is in the file's metadata), or train into another folder.");
}

// The checkpoints of a directory by step.
std::map<std::int64_t, std::filesystem::path> checkpoints_in(const std::filesystem::path& directory) {
  std::map<std::int64_t, std::filesystem::path> found;
  std::error_code none;  // a directory that is not there holds no checkpoint
  for (const auto& entry : std::filesystem::directory_iterator(directory, none)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    const std::size_t begin = std::string_view(kPrefix).size();
    const auto step = number_of(std::string_view(name).substr(begin, name.rfind(kSuffix) - begin));
    if (step) found[*step] = entry.path();
  }
  return found;
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const RunTensors& tensors, const CheckpointInfo& info) {
  Safetensors content;
  content.tensors = by_name(tensors);
  content.metadata = {{"format", kFormat}, {"config", info.config}};
  for (const auto& [key, counter] : counters(info.progress)) content.metadata[key] = std::to_string(*counter);
  for (const auto& [key, value] : info.extra) {
    check(content.metadata.emplace(key, value).second, "checkpoint: the metadata key \"", key, "\" is taken");
  }
  write_safetensors(path, content);
}

CheckpointInfo load_checkpoint(const std::filesystem::path& path, RunTensors& tensors) {
  const std::map<std::string, Tensor> run = by_name(tensors);
  const Checkpoint file = read_checkpoint(path);
  require_same_tensors(path, run, file.tensors);
  for (const auto& [name, tensor] : run) Tensor(tensor).copy_from(file.tensors.at(name));
  return file.info;
}

std::int64_t load_average(const std::vector<std::filesystem::path>& checkpoints, const Module& model) {
  check(!checkpoints.empty(), "checkpoint: a mean must be of one at least, got none");
  const std::map<std::string, Tensor> means = by_name({model.parameters(), model.buffers(), {}});
  std::map<std::string, std::vector<double>> sums;
  std::int64_t step = 0;
  for (const std::filesystem::path& path : checkpoints) {
    Checkpoint file = read_checkpoint(path);
    std::erase_if(file.tensors, [](const auto& entry) { return !entry.first.starts_with(kModel); });
    require_same_tensors(path, means, file.tensors);
    for (const auto& [name, tensor] : file.tensors) {
      std::vector<double>& sum = sums[name];
      sum.resize(static_cast<std::size_t>(tensor.size()));
      for (Index i = 0; i < tensor.size(); ++i) sum[static_cast<std::size_t>(i)] += tensor.at(i);
    }
    step = file.info.progress.step;
  }
  const auto count = static_cast<double>(checkpoints.size());
  for (const auto& [name, tensor] : means) {
    Tensor mean = tensor;
    for (Index i = 0; i < mean.size(); ++i) mean.set(i, sums.at(name)[static_cast<std::size_t>(i)] / count);
  }
  return step;
}

std::filesystem::path checkpoint_path(const std::filesystem::path& directory, std::int64_t step) {
  std::string digits = std::to_string(step);
  digits.insert(0, digits.size() < 9 ? 9 - digits.size() : 0, '0');
  return directory / (kPrefix + digits + kSuffix);
}

std::optional<std::filesystem::path> latest_checkpoint(const std::filesystem::path& directory) {
  const auto found = checkpoints_in(directory);
  if (found.empty()) return std::nullopt;
  return found.rbegin()->second;
}

std::vector<std::filesystem::path> last_checkpoints(const std::filesystem::path& directory, std::int64_t count,
                                                    std::int64_t every) {
  auto found = checkpoints_in(directory);
  std::vector<std::filesystem::path> last;
  for (auto entry = found.rbegin(); entry != found.rend() && std::ssize(last) < count; ++entry) {
    const bool due = every > 0 && entry->first % every == 0;
    if (due || entry == found.rbegin()) last.insert(last.begin(), entry->second);
  }
  return last;
}

void remove_old_checkpoints(const std::filesystem::path& directory, std::int64_t keep, std::int64_t every) {
  const auto kept = last_checkpoints(directory, keep, every);
  for (const auto& [step, path] : checkpoints_in(directory)) {
    if (std::find(kept.begin(), kept.end(), path) != kept.end()) continue;
    std::error_code error;
    std::filesystem::remove(path, error);
    if (error) throw MachineError(text(path.string(), ": cannot be removed: ", error.message()));
  }
}

}  // namespace normlab

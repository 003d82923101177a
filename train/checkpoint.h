// Checkpoints: all that a run needs to go on to the same bits, in one safetensors file.
//
// The tensors are named "model.<path>" (parameters and buffers) and "optimizer.<name>"; progress, resolved config and
// whatever else is to be kept are texts in the metadata. Nothing in the file depends on the time of day.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "../nn/module.h"

namespace normlab {

// Handles on the tensors of a run: read when saving, written to when loading.
struct RunTensors {
  std::vector<Named> parameters;
  std::vector<Named> buffers;
  std::vector<Named> optimizer;  // Optimizer::state()
};

// How far training has come, and where in its data.
struct Progress {
  std::int64_t step = 0;    // optimizer steps taken
  std::int64_t batch = 0;   // training batches taken (micro-batches); the next one has this index
  std::int64_t tokens = 0;  // tokens predicted in training so far
};

struct CheckpointInfo {
  Progress progress;
  std::string config;                        // the resolved config, as JSON text
  std::map<std::string, std::string> extra;  // anything else; the keys of progress and config are taken
};

// Writes a checkpoint whole or not at all; MachineError when that fails. Error when two tensors share a name or `extra`
// uses a taken key.
void save_checkpoint(const std::filesystem::path& path, const RunTensors& tensors, const CheckpointInfo& info);

// Reads a checkpoint into the tensors of a run made from the same config. Everything is compared first: when a tensor
// is missing, unexpected, or of another shape or dtype, one Error names them all and nothing has been changed. A file
// that is cut or damaged, or is no checkpoint, is an Error that says what is wrong with it and what to do.
CheckpointInfo load_checkpoint(const std::filesystem::path& path, RunTensors& tensors);

// <directory>/step_000001200.safetensors
std::filesystem::path checkpoint_path(const std::filesystem::path& directory, std::int64_t step);

// The checkpoint of the highest step in a directory, or nothing. A part file left by a killed run is none.
std::optional<std::filesystem::path> latest_checkpoint(const std::filesystem::path& directory);

// Removes all but the `keep` checkpoints of the highest steps.
void remove_old_checkpoints(const std::filesystem::path& directory, std::int64_t keep);

}  // namespace normlab

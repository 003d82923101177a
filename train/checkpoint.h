// Checkpoints: all that a run needs to go on to the same bits, in one safetensors file.
//
// The tensors are named "model.<path>" (parameters and buffers) and "optimizer.<name>"; progress, resolved config and
// whatever else is to be kept are texts in the metadata. Nothing in the file depends on the time of day.
//
// The mean of a run's last checkpoints is often a better model than any of them (Vaswani et al. 2017, 6.1; Shen et al.
// 2020, appendix). It is the mean of every entry of the model, as in fairseq's script, so of running statistics too:
//
//   theta = 1/N sum_i theta_i      s = 1/N sum_i s_i
//
// What would be right are the statistics s(theta) of the mean itself. Where what a norm sees is linear in theta the
// mean of its means is exactly that; otherwise s and s(theta) differ by the second order of the theta_i's distances,
// while the statistics of any one of them differ by the first. To measure s(theta) instead takes a pass over training
// text (Izmailov et al. 2018). Evaluation by the batches' own statistics, which needs none, shows how far off s is.
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

// Sets the model's parameters and buffers to their means over these checkpoints, summed in double in the order given;
// of one, to what it holds. The step of the last. Errors as load_checkpoint's.
std::int64_t load_average(const std::vector<std::filesystem::path>& checkpoints, const Module& model);

// <directory>/step_000001200.safetensors
std::filesystem::path checkpoint_path(const std::filesystem::path& directory, std::int64_t step);

// The checkpoint of the highest step in a directory, or nothing. A part file left by a killed run is none.
std::optional<std::filesystem::path> latest_checkpoint(const std::filesystem::path& directory);

// The checkpoints of the highest steps, at most `count`, lowest first: of those steps that are multiples of `every`,
// and the latest of all. One between them was saved when the run was stopped, and does not count once there is a later
// one; so a run that was stopped ends with the same checkpoints as one that was not.
std::vector<std::filesystem::path> last_checkpoints(const std::filesystem::path& directory, std::int64_t count,
                                                    std::int64_t every);

// Removes all but these.
void remove_old_checkpoints(const std::filesystem::path& directory, std::int64_t keep, std::int64_t every);

}  // namespace normlab

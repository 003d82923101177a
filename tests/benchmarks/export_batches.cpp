// Writes what an independent program needs to follow a run of ours step by step: the initial weights, and the first
// batches.
//
//   export_batches CONFIG DATA_DIRECTORY OUT_FOLDER BATCHES
//
// OUT_FOLDER gets initial.safetensors (a checkpoint at step 0) and batches.safetensors, as ptb_reference.py reads them.
#include <cstdio>
#include <filesystem>

#include "data/language.h"
#include "train/checkpoint.h"
#include "train/experiment/experiment_config.h"
#include "train/files.h"
#include "train/run.h"
#include "train/safetensors.h"

using namespace normlab;

namespace {

void export_run(const std::string& file, const std::string& data_directory, const std::filesystem::path& folder,
                int batches) {
  const Config config = read_experiment(file).config;
  const auto loaded = load_data(config, data_directory);
  const auto* data = dynamic_cast<const LanguageData*>(loaded.get());
  check(data != nullptr, "export_batches: wants a config of a language model, got ", config.model.kind());
  Init init;
  init.seed = config.seed_of_init();
  const auto task = config.model->make(init, *data);
  const Module& model = task->model();
  require_writable_directory(folder);
  CheckpointInfo info;
  info.config = to_lines(resolved(config));
  save_checkpoint(folder / "initial.safetensors", {model.parameters(), model.buffers(), {}}, info);

  Safetensors content;
  for (int i = 0; i < batches; ++i) {
    const Batch batch = data->training_batch(static_cast<std::uint64_t>(i));
    check(batch.predicted.all_count(), "export_batches: batches must have no padding, batch ", i, " has some");
    std::vector<std::int32_t> offsets(batch.rows.offsets().begin(), batch.rows.offsets().end());
    content.tensors[text("inputs.", i)] = batch.inputs;
    content.tensors[text("targets.", i)] = batch.targets;
    content.tensors[text("offsets.", i)] = Tensor::from<std::int32_t>({static_cast<Index>(offsets.size())}, offsets);
  }
  write_safetensors(folder / "batches.safetensors", content);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: export_batches CONFIG DATA_DIRECTORY OUT_FOLDER BATCHES\n");
    return 2;
  }
  try {
    export_run(argv[1], argv[2], argv[3], std::stoi(argv[4]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "export_batches: %s\n", error.what());
    return 2;
  }
}

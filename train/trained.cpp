// Loading a trained model: see the header.
#include "trained.h"

#include "checkpoint.h"
#include "experiment/experiment_config.h"
#include "files.h"
#include "run.h"

namespace normlab {

Trained load_trained(const std::filesystem::path& folder, const std::string& data_directory) {
  const std::filesystem::path file = folder / "config.json";
  check(std::filesystem::exists(file) || !std::filesystem::exists(folder / "experiment.json"), folder.string(),
        ": holds an experiment of several runs; give the folder of one, ", (folder / "runs").string(), "/…");
  check(std::filesystem::exists(file), folder.string(),
        ": holds no run, there is no config.json; give the folder that ", "normlab run wrote, or train one");
  const Experiment experiment = parse_experiment(read_file(file), file.string(), {});
  const auto checkpoint = latest_checkpoint(folder / "checkpoints");
  check(checkpoint.has_value(), folder.string(), ": the run has saved no checkpoint yet");

  Trained trained;
  trained.config = experiment.config;
  trained.data = load_data(trained.config, data_directory);
  Init init;
  init.seed = trained.config.seed_of_init();
  init.dtype = trained.config.dtype;
  trained.task = trained.config.model->make(init, *trained.data);
  const Module& model = trained.task->model();
  const auto optimizer = trained.config.train.optimizer->make(model.parameters());
  RunTensors tensors{model.parameters(), model.buffers(), optimizer->state()};
  trained.step = load_checkpoint(*checkpoint, tensors).progress.step;
  return trained;
}

}  // namespace normlab

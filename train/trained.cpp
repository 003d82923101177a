// Loading a trained model: see the header.
#include "trained.h"

#include <algorithm>
#include <iterator>

#include "checkpoint.h"
#include "experiment/experiment_config.h"
#include "files.h"
#include "run.h"
#include "run_record.h"

namespace normlab {

Trained load_trained(const std::filesystem::path& folder, const std::string& data_directory, std::int64_t average) {
  const std::filesystem::path file = folder / "config.json";
  check(std::filesystem::exists(file) || !std::filesystem::exists(folder / "experiment.json"), folder.string(),
        ": holds an experiment of several runs; give the folder of one, ", (folder / "runs").string(), "/…");
  check(std::filesystem::exists(file), folder.string(),
        ": holds no run, there is no config.json; give the folder that ", "normlab run wrote, or train one");
  const Experiment experiment = parse_experiment(read_file(file), file.string(), {});
  const TrainConfig& train = experiment.config.train;
  const std::int64_t wanted = average > 0 ? average : std::max<std::int64_t>(1, train.average);
  const auto checkpoints = last_checkpoints(folder / "checkpoints", wanted, train.checkpoint_every);
  check(!checkpoints.empty(), folder.string(), ": the run has saved no checkpoint yet");
  check(average <= std::ssize(checkpoints), folder.string(), ": must hold ", average, " checkpoints to average, holds ",
        checkpoints.size(), "; average fewer, or train with a larger train.keep and a smaller train.checkpoint_every");

  Trained trained;
  trained.config = experiment.config;
  trained.data = load_data(trained.config, data_directory);
  const std::string learned_from = recorded_data(folder), found = trained.data->fingerprint();
  check(learned_from.empty() || learned_from == found, folder.string(),
        ": the model was trained on other data than these (their hash was ", learned_from, ", is ", found,
        "); bring back its files, or say where they lie with --data");
  Init init;
  init.seed = trained.config.seed_of_init();
  init.dtype = trained.config.dtype;
  trained.task = trained.config.model->make(init, *trained.data);
  trained.step = load_average(checkpoints, trained.task->model());
  return trained;
}

}  // namespace normlab

// Config: everything that decides one training run, and nothing else, as a JSON file states it. The fields and their
// meaning are listed in config.cpp; `normlab schema` prints them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../engine/dtype.h"
#include "json_tree.h"
#include "measurement.h"
#include "optimizer.h"
#include "schedule.h"
#include "task.h"

namespace normlab {

struct TrainConfig {
  std::int64_t steps = 0;  // one of the two is positive, but that an experiment that measures may train nothing
  std::int64_t epochs = 0;
  OptimizerConfig optimizer{"adam"};
  ScheduleConfig schedule;
  double label_smoothing = 0;
  double clip = 0;
  std::int64_t accumulate = 1;
  bool commit_every_micro_batch = true;
  std::int64_t evaluate_every = 0;
  bool evaluate_batch_statistics = false;
  std::int64_t score_every = 0;
  std::int64_t checkpoint_every = 0;
  std::int64_t keep = 2;
  std::int64_t average = 0;
  std::int64_t log_every = 10;

  // `required`: there must be something to train.
  void fields(Fields& f, bool required);
};

struct ProbesConfig {
  std::int64_t every = 0;
  std::vector<std::int64_t> at;
  std::vector<std::string> sites = {"*"};
  std::vector<std::string> quantities = {"activation_norm", "activation_gradient_norm", "weight_norm",
                                         "weight_gradient_norm", "norm_statistics"};

  void fields(Fields& f);
  // Whether anything is measured at that step, the first being 1.
  bool wanted(std::int64_t step) const;
};

struct Config {
  MeasurementConfig measurement{"training"};  // "experiment" in the file
  std::int64_t seed = 1;
  std::int64_t init_seed = 0;
  std::int64_t data_seed = 0;
  Dtype dtype = Dtype::f32;
  ModelConfig model{"language_model"};
  DataConfig data{"synthetic"};
  TrainConfig train;
  ProbesConfig probes;

  void fields(Fields& f);

  bool trains() const { return measurement->of_model() && (train.steps > 0 || train.epochs > 0); }
  std::uint64_t seed_of_training() const { return static_cast<std::uint64_t>(seed); }
  std::uint64_t seed_of_init() const { return static_cast<std::uint64_t>(init_seed == 0 ? seed : init_seed); }
  std::uint64_t seed_of_data() const { return static_cast<std::uint64_t>(data_seed == 0 ? seed : data_seed); }
};

// The config with all defaults filled in. Read again it gives the same run.
JsonNode resolved(Config config);

}  // namespace normlab

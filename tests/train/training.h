// A small training run with all its parts in the open, for the tests of the trainer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "train/experiment/experiment_config.h"
#include "train/run.h"
#include "train/task/language_modelling.h"
#include "train/trainer.h"

namespace normlab {

inline const char* const kConfig = R"({
  "question": "?",
  "model": {"layers": 2, "width": 16, "heads": 2, "feed_forward": 32, "dropout": 0.1, "attention_dropout": 0.1},
  "data": {"kind": "synthetic", "train_tokens": 3000, "valid_tokens": 700, "test_tokens": 0, "clauses": 1, "phrases": 4,
           "batching": {"kind": "sentences", "tokens_per_batch": 256}},
  "train": {"steps": 8, "evaluate_every": 4, "optimizer": {"kind": "adam", "rate": 1e-3}}
})";

struct Listening : Listener {
  std::vector<StepReport> steps;
  std::vector<EvaluationReport> evaluations;
  std::vector<Probe::Record> probes;
  std::vector<std::int64_t> checkpoints;
  void on_step(const StepReport& report) override { steps.push_back(report); }
  void on_evaluation(const EvaluationReport& report) override { evaluations.push_back(report); }
  void on_probe(std::int64_t, const std::vector<Probe::Record>& records) override {
    probes.insert(probes.end(), records.begin(), records.end());
  }
  void on_checkpoint(const Progress& progress) override { checkpoints.push_back(progress.step); }
};

// A run from that text with overrides, all parts in the open.
struct Training {
  explicit Training(const std::vector<std::string>& overrides = {})
      : config(parse_experiment(kConfig, "test.json", overrides).runs.at(0).config),
        loaded(load_data(config, ".")),
        data(dynamic_cast<LanguageData*>(loaded.get())),
        task(init_of(config), language_model(config), *data),
        model(task.model()),
        optimizer(config.train.optimizer->make(model.parameters())),
        trainer(config, task) {}
  static const LanguageModelConfig& language_model(const Config& config) {
    return dynamic_cast<const LanguageModelOptions&>(*config.model).config;
  }
  static Init init_of(const Config& config) {
    Init init;
    init.seed = config.seed_of_init();
    init.dtype = config.dtype;
    return init;
  }
  void run() { trainer.run({}, *optimizer, {&listening}); }

  Config config;
  std::unique_ptr<Data> loaded;
  LanguageData* data;
  LanguageModelling task;
  LanguageModel& model;
  std::unique_ptr<Optimizer> optimizer;
  Trainer trainer;
  Listening listening;
};

}  // namespace normlab

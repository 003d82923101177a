// The trainer: the loop, on one page, and what it tells those who look on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint.h"
#include "config.h"
#include "optimizer.h"
#include "probe.h"

namespace normlab {

struct StepReport {
  Progress progress;         // after the step
  double loss = 0;           // smoothed loss, nats per predicted token
  double nll = 0;            // negative log-likelihood, nats per predicted token
  double penalty = 0;        // what norms add to the loss, per predicted token
  double rate = 0;           // learning rate
  double gradient_norm = 0;  // over all parameters, before clipping
  std::int64_t tokens = 0;   // predicted in this step
};

struct EvaluationReport {
  std::int64_t step = 0;
  Split split = Split::valid;
  bool batch_statistics = false;                       // norms took the statistics of each batch, not the running ones
  std::int64_t averaged = 0;                           // checkpoints whose mean the model is; 0: it is as trained
  double nll = 0;                                      // summed, nats
  std::int64_t tokens = 0;                             // predicted
  std::int64_t correct = 0;                            // of these, those that the model held most likely
  std::vector<std::pair<std::string, double>> scores;  // Task::scores() where asked for, and accuracy
  double mean() const { return nll / static_cast<double>(tokens); }
  double perplexity() const;  // exp(nll / tokens), whatever the batches were
};

// Looks on; it cannot steer. Whatever alters training is a line of the loop.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void on_step(const StepReport&) {}
  virtual void on_probe(std::int64_t /*step*/, const std::vector<Probe::Record>&) {}
  virtual void on_evaluation(const EvaluationReport&) {}
  virtual void on_checkpoint(const Progress&) {}  // now is the time to write one
};

// Training produced NaN or infinity: in a step, or in an evaluation after it.
class Diverged : public Error {
 public:
  Diverged(std::int64_t step, const std::string& site, const std::string& message)
      : Error(message), step_(step), site_(site) {}
  std::int64_t step() const { return step_; }
  const std::string& site() const { return site_; }  // the first module output, gradient or loss that was not finite

 private:
  std::int64_t step_;
  std::string site_;
};

// The optimizer steps of a whole training.
std::int64_t steps_of(const Config& config, const Data& data);

class Trainer {
 public:
  Trainer(const Config& config, Task& task);

  // Trains from `progress` to the last step. Throws Diverged, or Interrupted after asking for a checkpoint.
  void run(const Progress& progress, Optimizer& optimizer, const std::vector<Listener*>& listeners);
  // The mean over every predicted token of a split; by each batch's own statistics if asked for.
  EvaluationReport evaluate(Split split, std::int64_t step, bool batch_statistics = false) const;
  // What run() left, or what the model was given since, on a split that there is: by running statistics, with scores if
  // asked for, and by batch statistics where the config says so.
  void evaluate_and_tell(Split split, bool score, std::int64_t averaged, const std::vector<Listener*>& listeners) const;

  std::int64_t steps() const { return steps_; }  // of the whole training

 private:
  using MicroBatches = std::vector<std::unique_ptr<MicroBatch>>;
  // One micro-batch's part of the loss of a step that predicts `tokens` in all.
  struct PartOfLoss {
    CrossEntropy entropy;
    Tensor loss;         // what to differentiate: entropy and penalties
    double penalty = 0;  // of norms, summed
  };
  PartOfLoss part_of_loss(const MicroBatch& batch, std::int64_t step, std::size_t micro_batch, double tokens) const;
  StepReport train_step(Optimizer& optimizer, const std::vector<Listener*>& listeners);
  [[noreturn]] void diverged(const MicroBatches& batches, double divisor, const char* what);

  const Config& config_;
  Task& task_;
  std::vector<Named> parameters_;
  std::vector<Named> buffers_;
  std::vector<Tensor> buffers_before_;  // as they were when the step began
  std::int64_t steps_;
  Progress progress_;
};

}  // namespace normlab

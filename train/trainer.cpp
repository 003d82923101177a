// The loop: rate -> for each micro-batch { forward, backward, commit } -> clip -> step -> evaluate? -> save?
#include "trainer.h"

#include <cmath>

#include "../engine/ops/elementwise.h"
#include "interrupt.h"

namespace normlab {
namespace {

// Remembers the first site whose value, or whose gradient, is not finite.
struct FirstNotFinite final : Observer {
  std::string site;
  void value(const std::string& name, const Tensor& x) override { look(name, x); }
  void gradient(const std::string& name, const Tensor& x) override { look("the gradient of " + name, x); }
  void look(const std::string& name, const Tensor& x) {
    if (site.empty() && !x.all_finite()) site = name;
  }
};

constexpr char kCures[] = "; try a smaller rate, a longer warm-up or gradient clipping";

bool due(std::int64_t every, std::int64_t step) { return every > 0 && step % every == 0; }

}  // namespace

std::int64_t steps_of(const Config& config, const Data& data) {
  if (config.train.steps > 0) return config.train.steps;
  const std::int64_t micro = config.train.accumulate, batches = data.batches_per_epoch();
  return (config.train.epochs * batches + micro - 1) / micro;
}

double EvaluationReport::perplexity() const { return std::exp(mean()); }

Trainer::Trainer(const Config& config, Task& task)
    : config_(config),
      task_(task),
      parameters_(task.model().parameters()),
      buffers_(task.model().buffers()),
      steps_(steps_of(config, task.data())) {
  for (const Named& buffer : buffers_) buffers_before_.push_back(buffer.tensor.clone());
}

void Trainer::run(const Progress& progress, Optimizer& optimizer, const std::vector<Listener*>& listeners) {
  progress_ = progress;
  const auto tell = [&](Split split) {
    const bool last = progress_.step == steps_ && config_.train.average < 2;  // else the average is scored instead
    const bool score = last || (progress_.step > 0 && due(config_.train.score_every, progress_.step));
    evaluate_and_tell(split, score, 0, listeners);
  };
  if (progress_.step == 0 && config_.train.evaluate_every > 0) tell(Split::valid);

  while (progress_.step < steps_) {
    const StepReport report = train_step(optimizer, listeners);
    for (Listener* listener : listeners) listener->on_step(report);

    const bool last = progress_.step == steps_;
    if (last || due(config_.train.evaluate_every, progress_.step)) tell(Split::valid);
    if (last) tell(Split::test);
    const bool stop = interrupted() && !last;
    if (last || stop || due(config_.train.checkpoint_every, progress_.step)) {
      for (Listener* listener : listeners) listener->on_checkpoint(progress_);
    }
    if (stop) throw Interrupted(text("stopped after step ", progress_.step, " of ", steps_));
  }
}

Trainer::PartOfLoss Trainer::part_of_loss(const MicroBatch& batch, std::int64_t step, std::size_t micro_batch,
                                          double tokens) const {
  std::vector<Tensor> penalties;
  const Pass pass{.training = true,
                  .seed = config_.seed_of_training(),
                  .step = static_cast<std::uint64_t>(step),
                  .micro_batch = static_cast<std::uint32_t>(micro_batch),
                  .penalties = &penalties};
  PartOfLoss part;
  part.entropy = batch.loss(pass, config_.train.label_smoothing, tokens);
  part.loss = part.entropy.loss;
  for (const Tensor& penalty : penalties) {
    part.loss = add(part.loss, scale(penalty, 1 / tokens));
    part.penalty += penalty.item();
  }
  return part;
}

StepReport Trainer::train_step(Optimizer& optimizer, const std::vector<Listener*>& listeners) {
  const std::int64_t step = progress_.step + 1;
  const double rate = config_.train.optimizer->rate * config_.train.schedule.factor(step, steps_);

  // The loss of a step is the sum over its predicted tokens divided by their number, in however many micro-batches.
  // Packing them takes at most 0.2 % of a step: a thread that prepares them ahead would win nothing.
  MicroBatches batches;
  double tokens = 0;
  for (std::int64_t micro = 0; micro < config_.train.accumulate; ++micro) {
    batches.push_back(task_.training_batch(static_cast<std::uint64_t>(progress_.batch + micro)));
    tokens += static_cast<double>(batches.back()->predicted());
  }

  for (std::size_t i = 0; i < buffers_.size(); ++i) buffers_before_[i].copy_from(buffers_[i].tensor);
  Probe probe(config_.probes);
  const bool probing = config_.probes.wanted(step);
  StepReport report;
  for (std::size_t micro = 0; micro < batches.size(); ++micro) {
    Tape tape(probing ? &probe : nullptr);
    const PartOfLoss part = part_of_loss(*batches[micro], step, micro, tokens);
    tape.backward(part.loss);
    report.loss += part.entropy.smoothed / tokens;
    report.nll += part.entropy.nll / tokens;
    report.penalty += part.penalty / tokens;
    if (!config_.train.commit_every_micro_batch && micro + 1 < batches.size()) continue;
    if (probing) probe.statistics(task_.model());
    task_.model().commit();
  }
  if (!std::isfinite(report.loss)) diverged(batches, tokens, "the loss");
  if (probing) probe.weights(parameters_);

  report.gradient_norm = gradient_norm(parameters_);
  if (!std::isfinite(report.gradient_norm)) diverged(batches, tokens, "the gradient");
  optimizer.step(rate, clip_factor(report.gradient_norm, config_.train.clip));

  progress_.step = step;
  progress_.batch += static_cast<std::int64_t>(batches.size());
  progress_.tokens += static_cast<std::int64_t>(tokens);
  report.progress = progress_;
  report.rate = rate;
  report.tokens = static_cast<std::int64_t>(tokens);
  if (probing) {
    for (Listener* listener : listeners) listener->on_probe(step, probe.records());
  }
  return report;
}

EvaluationReport Trainer::evaluate(Split split, std::int64_t step, bool batch_statistics) const {
  EvaluationReport report;
  report.step = step;
  report.split = split;
  report.batch_statistics = batch_statistics;
  const Pass pass{.batch_statistics = batch_statistics};
  for (Index i = 0; i < task_.data().evaluation_batches(split); ++i) {
    const CrossEntropy entropy = task_.evaluate(split, i, pass);
    report.nll += entropy.nll;
    report.tokens += entropy.tokens;
    report.correct += entropy.correct;
  }
  return report;
}

void Trainer::evaluate_and_tell(Split split, bool score, std::int64_t averaged,
                                const std::vector<Listener*>& listeners) const {
  if (task_.data().evaluation_batches(split) == 0) return;
  for (const bool batch_statistics : {false, true}) {
    if (batch_statistics && !config_.train.evaluate_batch_statistics) continue;
    EvaluationReport report = evaluate(split, progress_.step, batch_statistics);
    if (!batch_statistics && progress_.step > 0 && !std::isfinite(report.nll)) {
      const std::string what = split == Split::valid ? "the validation loss" : "the test loss";
      throw Diverged(progress_.step, what,
                     text("training diverged: after step ", progress_.step, ": ", what, " is not finite", kCures));
    }
    report.averaged = averaged;
    if (score && !batch_statistics) report.scores = task_.scores(split);
    if (task_.scores_accuracy()) {
      report.scores.emplace_back("accuracy", static_cast<double>(report.correct) / static_cast<double>(report.tokens));
    }
    for (Listener* listener : listeners) listener->on_evaluation(report);
  }
}

// Repeats the step under an observer, with the same dropout and running statistics, to find where it first left the
// finite numbers.
void Trainer::diverged(const MicroBatches& batches, double divisor, const char* what) {
  FirstNotFinite first;
  for (std::size_t i = 0; i < buffers_.size(); ++i) buffers_[i].tensor.copy_from(buffers_before_[i]);
  for (std::size_t micro = 0; micro < batches.size() && first.site.empty(); ++micro) {
    Tape tape(&first);
    const PartOfLoss part = part_of_loss(*batches[micro], progress_.step + 1, micro, divisor);
    if (first.site.empty()) tape.backward(part.loss);
    if (config_.train.commit_every_micro_batch) task_.model().commit();
  }
  if (first.site.empty()) first.site = what;
  throw Diverged(progress_.step + 1, first.site,
                 text("training diverged: step ", progress_.step + 1, ": ", what, " is not finite; first at ",
                      first.site, kCures));
}

}  // namespace normlab

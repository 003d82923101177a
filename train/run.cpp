// One run, from config to results. The order matters: everything that can be wrong with the input is found before the
// folder is touched, and result.json is written last.
#include "run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "../data/text_file.h"
#include "bench/measure.h"
#include "checkpoint.h"
#include "environment.h"
#include "fetch/fetch.h"
#include "files.h"
#include "folder_lock.h"
#include "interrupt.h"
#include "metrics.h"
#include "progress_bar.h"
#include "trainer.h"

namespace normlab {
namespace {

namespace fs = std::filesystem;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Writes what the trainer tells into the folder, and shows it.
class Recorder final : public Listener {
 public:
  Recorder(const Config& config, const RunSettings& settings, std::int64_t steps, std::int64_t first_step,
           double seconds_before, RunTensors tensors)
      : config_(config),
        settings_(settings),
        steps_(steps),
        first_step_(first_step),
        seconds_before_(seconds_before),
        tensors_(std::move(tensors)),
        metrics_(settings.folder / "metrics.jsonl", first_step),
        bar_(settings.title, steps, "tokens", settings.quiet),
        start_(std::chrono::steady_clock::now()) {
    if (settings.watch) settings.watch(first_step, first_step, steps);
    if (config.probes.every > 0 || !config.probes.at.empty()) {
      probes_.emplace(settings.folder / "probes.jsonl", first_step);
    }
  }

  void on_step(const StepReport& report) override {
    tokens_ += static_cast<double>(report.tokens);
    if (report.progress.step % config_.train.log_every == 0) {
      const double seconds = seconds_so_far();
      metrics_.write({"train",
                      report.progress.step,
                      {{"loss", report.loss},
                       {"nll", report.nll},
                       {"rate", report.rate},
                       {"gradient_norm", report.gradient_norm},
                       {"penalty", report.penalty},
                       {"tokens", report.progress.tokens},
                       {"seconds", seconds},
                       {"tokens_per_second", tokens_ / std::max(1e-9, seconds - seconds_before_)}}});
    }
    if (settings_.watch) settings_.watch(first_step_, report.progress.step, steps_);
    bar_.update(report.progress.step, first_step_, tokens_, fmt::format("loss {:.3f}{}", report.nll, validation_));
  }

  void on_probe(std::int64_t step, const std::vector<Probe::Record>& records) override {
    for (const Probe::Record& record : records) {
      probes_->write({"probe", step, {{"site", record.site}, {"quantity", record.quantity}, {"value", record.value}}});
    }
  }

  void on_evaluation(const EvaluationReport& report) override {
    MetricRecord record{report.averaged > 0 ? "average" : "evaluation",
                        report.step,
                        {{"split", std::string(name_of(report.split))},
                         {"statistics", std::string(report.batch_statistics ? "batch" : "running")},
                         {"nll", report.mean()},
                         {"perplexity", report.perplexity()},
                         {"tokens", report.tokens},
                         {"seconds", seconds_so_far()}}};
    if (report.averaged > 0) record.fields.emplace_back("checkpoints", report.averaged);
    for (const auto& [name, score] : report.scores) record.fields.emplace_back("score." + name, score);
    metrics_.write(record);
    if (report.split == Split::valid && !report.batch_statistics)
      validation_ = fmt::format("  valid ppl {:.2f}", report.perplexity());
  }

  void on_checkpoint(const Progress& progress) override {
    metrics_.sync();
    if (probes_) probes_->sync();
    CheckpointInfo info;
    info.progress = progress;
    info.config = to_lines(resolved(config_));
    const fs::path checkpoints = settings_.folder / "checkpoints";
    const std::int64_t every = config_.train.checkpoint_every;
    save_checkpoint(checkpoint_path(checkpoints, progress.step), tensors_, info);
    const bool stopped = progress.step < steps_ && (every == 0 || progress.step % every != 0);
    remove_old_checkpoints(checkpoints, config_.train.keep + (stopped ? 1 : 0), every);
  }

  double seconds_so_far() const {
    return seconds_before_ + std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  const Config& config_;
  const RunSettings& settings_;
  std::int64_t steps_, first_step_;
  double seconds_before_;
  RunTensors tensors_;
  MetricsLog metrics_;
  std::optional<MetricsLog> probes_;
  ProgressBar bar_;
  std::chrono::steady_clock::time_point start_;
  double tokens_ = 0;
  std::string validation_;
};

// The final evaluation of the mean of the last checkpoints, put in the place of the model while it lasts: training is
// over and saved.
void evaluate_average(const Config& config, const RunSettings& settings, const Trainer& trainer, const Module& model,
                      Recorder& recorder) {
  const auto last =
      last_checkpoints(settings.folder / "checkpoints", config.train.average, config.train.checkpoint_every);
  const std::int64_t count = std::ssize(last);
  if (count < config.train.average && !settings.quiet) {
    fmt::print(stderr,
               "{}: has saved {} checkpoints, so the final model is the mean of {}, not of train.average = {}\n",
               settings.folder.string(), count, count, config.train.average);
  }
  load_average(last, model);
  for (const Split split : {Split::valid, Split::test}) trainer.evaluate_and_tell(split, true, count, {&recorder});
  load_average({last.back()}, model);
}

// Trains, from the last checkpoint on if the run has begun, and leaves metrics and checkpoints in the folder.
RunResult train(const Config& config, const RunSettings& settings, Task& task, bool begun) {
  const fs::path checkpoints = settings.folder / "checkpoints";
  const Module& model = task.model();
  const auto parameters = model.parameters();
  const auto optimizer = config.train.optimizer->make(parameters);
  RunTensors tensors{parameters, model.buffers(), optimizer->state()};

  Progress progress;
  double seconds_before = 0;
  if (const auto latest = latest_checkpoint(checkpoints); begun && latest) {
    progress = load_checkpoint(*latest, tensors).progress;
    for (const MetricRecord& record : read_metrics(settings.folder / "metrics.jsonl")) {
      if (record.step <= progress.step) seconds_before = std::max(seconds_before, record.number("seconds").value_or(0));
    }
  }
  if (!begun) {  // what was left when the process that took a run over was killed is of no run
    while (const auto stale = latest_checkpoint(checkpoints)) fs::remove(*stale);
  }
  begin_record(config, &task.data(), settings.folder, progress.step > 0);
  require_writable_directory(checkpoints);
  if (progress.step == 0) {  // killed before its first checkpoint, or never begun
    fs::remove(settings.folder / "metrics.jsonl");
    fs::remove(settings.folder / "probes.jsonl");
  }

  std::optional<Diverged> diverged;
  std::int64_t steps = 0;
  double seconds = 0;
  {
    Trainer trainer(config, task);
    steps = trainer.steps();
    Recorder recorder(config, settings, steps, progress.step, seconds_before, tensors);
    try {
      trainer.run(progress, *optimizer, {&recorder});
      if (config.train.average > 1) evaluate_average(config, settings, trainer, model, recorder);
    } catch (const Diverged& error) {
      diverged = error;
    }
    seconds = recorder.seconds_so_far();
  }

  const auto records = read_metrics(settings.folder / "metrics.jsonl");
  write_metrics_csv(settings.folder / "metrics.csv", records);
  RunResult result = summarize(settings.folder);
  result.seconds = seconds;
  result.steps = diverged ? diverged->step() - 1 : steps;
  result.score_definitions = task.score_definitions();
  result.entropy = task.data().entropy(Split::valid);
  if (diverged) {
    result.diverged_step = diverged->step();
    result.diverged_site = diverged->site();
    result.averaged = 0;
    result.final_nll = kInfinity;
    result.test_nll.reset();
    result.scores.clear();
    result.final_nll_by_batch.reset();
    result.test_nll_by_batch.reset();
  }
  return result;
}

// Measures, and writes what was found into the folder. What an earlier session measured is measured again.
void measure(const Config& config, const RunSettings& settings, Task* task, std::int64_t step) {
  MeasuringContext context;
  context.seed = config.seed_of_training();
  context.init_seed = config.seed_of_init();
  context.dtype = config.dtype;
  context.task = task;
  std::optional<ProgressBar> bar;
  context.progress = [&](Index done, Index of, const std::string& note) {
    if (!bar) bar.emplace(settings.title, of, "pieces", settings.quiet);
    bar->update(done, 0, static_cast<double>(done), note);
    if (settings.watch && !config.trains()) settings.watch(0, done, of);
    if (interrupted() && done < of) throw Interrupted("stopped while measuring");
  };
  const std::vector<Measurement> found = config.measurement->measure(context);

  fs::remove(settings.folder / "measurements.jsonl");
  MetricsLog log(settings.folder / "measurements.jsonl", step);
  for (const Measurement& m : found) {
    MetricRecord record{"measurement", step, {{"site", m.site}, {"quantity", m.quantity}, {"value", m.value}}};
    if (std::isfinite(m.error)) {
      record.fields.emplace_back("error", m.error);
      record.fields.emplace_back("level", m.level);
    }
    log.write(record);
  }
  log.sync();
}

}  // namespace

std::unique_ptr<Data> load_data(const Config& config, const std::string& directory) {
  try {
    return config.data->load(directory, config.seed_of_data());
  } catch (const MissingText& missing) {
    const std::string how = how_to_get(fs::path(missing.path()).lexically_relative(directory), directory);
    throw Error(how.empty() ? missing.what() : text(missing.what(), "\n", how));
  }
}

TrainingSize require_memory(const Config& config, const Data& data, int copies) {
  const TrainingSize size = config.model->training_size(data, config.dtype);
  const double available = available_memory();
  check(available == 0 || copies * size.bytes() < available, "model: training ", size.parameters,
        " parameters on batches of ", size.tokens, " tokens takes about ", short_number(size.bytes()),
        "B of memory, this machine has ", short_number(available), "B free",
        copies == 1
            ? "; use a smaller model, smaller batches with more of them accumulated (train.accumulate), or recompute"
              " (the model's settings)"
            : text(", too little for ", copies, " runs side by side; choose fewer with --side-by-side"));
  return size;
}

RunResult run_one(const Config& config, const RunSettings& settings) {
  const auto begun_before = [&] {
    const bool begun = holds_run(config, settings.folder);
    check(!begun || settings.resume, settings.folder.string(),
          ": holds an unfinished run of this config; go on with --resume, or choose another folder with --out");
    return begun;
  };
  begun_before();

  std::unique_ptr<Data> data;
  if (config.measurement->of_model()) {
    data = load_data(config, settings.data_directory);
    require_memory(config, *data);
  }
  require_writable_directory(settings.folder);
  const FolderLock lock(settings.folder);
  const bool begun = begun_before();                        // by another process until now
  if (!begun) fs::remove(settings.folder / "result.json");  // of no run: see train()
  std::unique_ptr<Task> task;
  if (data) {
    Init init;
    init.seed = config.seed_of_init();
    init.dtype = config.dtype;
    task = config.model->make(init, *data);
  }
  RunResult result;
  if (config.trains()) {
    result = train(config, settings, *task, begun);
  } else {
    begin_record(config, data.get(), settings.folder, false);
  }
  if (task) result.parameters = task->model().parameter_count();
  if (!config.measurement->only_trains() && !result.diverged()) {
    result.seconds += seconds_of([&] { measure(config, settings, task.get(), result.steps); });
  }
  write_result(result, settings.folder / "result.json");
  return result;
}

}  // namespace normlab

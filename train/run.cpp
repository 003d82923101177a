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
#include "config_reader.h"
#include "environment.h"
#include "fetch/fetch.h"
#include "files.h"
#include "folder_lock.h"
#include "interrupt.h"
#include "json_reader.h"
#include "metrics.h"
#include "progress_bar.h"
#include "trainer.h"

namespace normlab {
namespace {

namespace fs = std::filesystem;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

JsonNode number(double value) {
  if (std::isfinite(value)) return JsonNode::of(value);
  return JsonNode::of(std::string(std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf"));
}

double number_of(const JsonNode& node) {
  if (node.type == JsonType::integer) return static_cast<double>(node.integer);
  if (node.type == JsonType::real) return node.real;
  return node.string == "inf" ? kInfinity : node.string == "-inf" ? -kInfinity : std::nan("");
}

// What makes the run, and on what. Where another program or machine goes on with it, `before` is what run.json said so
// far: a value that has changed becomes "a, then b", so that the run is not taken for the work of one. Error when the
// data have changed.
void write_environment(const Config& config, const Data* data, const JsonNode& before, const fs::path& file) {
  const auto said = [&](const std::string& name) {
    const JsonNode* node = before.find(name);
    return node == nullptr ? std::string() : node->string;
  };
  JsonNode out = JsonNode::object();
  for (const auto& [name, value] : environment()) {
    const std::string so_far = said(name);
    const bool same = so_far.empty() || so_far == value || so_far.ends_with(", then " + value);
    out.add(name, JsonNode::of(!same ? so_far + ", then " + value : so_far.empty() ? value : so_far));
  }
  if (data) {
    const std::string fingerprint = data->fingerprint();
    check(said("data").empty() || said("data") == fingerprint, file.parent_path().string(),
          ": the run was begun on other data (their hash was ", said("data"), ", is ", fingerprint,
          "); bring back the files it was begun with, or choose another folder with --out");
    out.add("data", JsonNode::of(fingerprint));
  }
  out.add("seed", JsonNode::of(config.seed));
  if (!said("started").empty()) {
    out.add("started", JsonNode::of(said("started")));
    write_file(file, to_lines(out));
    return;
  }
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  char started[32];
  std::strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  out.add("started", JsonNode::of(std::string(started)));
  write_file(file, to_lines(out));
}

void write_result(const RunResult& result, const fs::path& file) {
  JsonNode out = JsonNode::object();
  out.add("status", JsonNode::of(std::string(result.diverged() ? "diverged" : "finished")));
  out.add("steps", JsonNode::of(result.steps));
  out.add("parameters", JsonNode::of(result.parameters));
  if (result.diverged()) {
    out.add("diverged_step", JsonNode::of(result.diverged_step));
    out.add("diverged_site", JsonNode::of(result.diverged_site));
  }
  if (result.averaged > 0) out.add("averaged_checkpoints", JsonNode::of(result.averaged));
  if (result.trained()) {
    out.add("final_nll", number(result.final_nll));
    out.add("final_perplexity", number(std::exp(result.final_nll)));
    out.add("best_nll", number(result.best_nll));
    out.add("best_step", JsonNode::of(result.best_step));
  }
  if (result.test_nll) out.add("test_nll", number(*result.test_nll));
  if (result.test_nll) out.add("test_perplexity", number(std::exp(*result.test_nll)));
  if (result.final_nll_by_batch) out.add("final_nll_by_batch_statistics", number(*result.final_nll_by_batch));
  if (result.test_nll_by_batch) out.add("test_nll_by_batch_statistics", number(*result.test_nll_by_batch));
  if (result.entropy) out.add("entropy", number(*result.entropy));
  JsonNode scores = JsonNode::object();
  for (const auto& [name, score] : result.scores) scores.add(name, number(score));
  if (!result.scores.empty()) out.add("scores", scores);
  JsonNode definitions = JsonNode::object();
  for (const auto& [name, definition] : result.score_definitions) definitions.add(name, JsonNode::of(definition));
  if (!result.score_definitions.empty()) out.add("score_definitions", definitions);
  out.add("seconds", JsonNode::of(result.seconds));
  write_file(file, to_lines(out));
}

RunResult read_result(const fs::path& file) {
  Problems problems(file.string());
  const JsonNode in = parse_json(read_file(file), problems);
  problems.throw_if_any();
  const auto real = [&](const char* name) -> std::optional<double> {
    const JsonNode* node = in.find(name);
    return node ? std::optional(number_of(*node)) : std::nullopt;
  };
  const auto whole = [&](const char* name) { return static_cast<std::int64_t>(real(name).value_or(0)); };
  RunResult result;
  result.steps = whole("steps");
  result.parameters = whole("parameters");
  result.diverged_step = whole("diverged_step");
  check(in.find("status") && (real("final_nll") || !result.trained()), file.string(),
        ": is no result of a run; remove the folder and run again");
  if (const JsonNode* site = in.find("diverged_site")) result.diverged_site = site->string;
  result.averaged = whole("averaged_checkpoints");
  if (result.trained()) {
    result.final_nll = *real("final_nll");
    result.best_nll = real("best_nll").value_or(kInfinity);
  }
  result.best_step = whole("best_step");
  result.test_nll = real("test_nll");
  result.final_nll_by_batch = real("final_nll_by_batch_statistics");
  result.test_nll_by_batch = real("test_nll_by_batch_statistics");
  result.entropy = real("entropy");
  if (const JsonNode* scores = in.find("scores")) {
    for (const JsonNode& score : scores->items) result.scores[score.name] = number_of(score);
  }
  if (const JsonNode* definitions = in.find("score_definitions")) {
    for (const JsonNode& definition : definitions->items) result.score_definitions[definition.name] = definition.string;
  }
  result.seconds = real("seconds").value_or(0);
  return result;
}

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
    last_ = report;
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
  StepReport last_;
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

// What the metrics of a finished run say.
RunResult summarize(const fs::path& folder) {
  RunResult result;
  result.final_nll = result.best_nll = kInfinity;
  for (const MetricRecord& record : read_metrics(folder / "metrics.jsonl")) {
    if (const auto seconds = record.number("seconds")) result.seconds = std::max(result.seconds, *seconds);
    const bool average = record.event == "average";  // they come last, and are the final figures
    if (record.event != "evaluation" && !average) continue;
    if (average) result.averaged = static_cast<std::int64_t>(record.number("checkpoints").value_or(0));
    const double nll = record.number("nll").value_or(kInfinity);
    const bool test = record.word("split") == "test";
    if (record.word("statistics") == "batch") {
      (test ? result.test_nll_by_batch : result.final_nll_by_batch) = nll;
      continue;
    }
    for (const auto& [name, value] : record.fields) {
      if (name.rfind("score.", 0) != 0) continue;
      result.scores[record.word("split") + "_" + name.substr(6)] = record.number(name).value_or(std::nan(""));
    }
    if (test) {
      result.test_nll = nll;
      continue;
    }
    result.final_nll = nll;
    if (nll < result.best_nll && !average) {
      result.best_nll = nll;
      result.best_step = record.step;
    }
  }
  return result;
}

// The first line in which two resolved configs differ, for a message.
std::string first_difference(const std::string& a, const std::string& b) {
  std::istringstream left(a), right(b);
  for (std::string x, y;;) {
    const bool more_left = static_cast<bool>(std::getline(left, x));
    const bool more_right = static_cast<bool>(std::getline(right, y));
    if (!more_left && !more_right) return "";
    const auto trimmed = [](const std::string& line) {
      const auto first = line.find_first_not_of(' ');
      return first == std::string::npos ? std::string() : line.substr(first);
    };
    if (x != y || more_left != more_right) return text("there ", trimmed(x), " here ", trimmed(y));
  }
}

// A resolved config as this program writes it. Settings that are newer than the program that wrote it have their
// defaults. As it is where it cannot be read.
std::string as_written_now(const std::string& config, const std::string& file) {
  try {
    Problems problems(file);
    const JsonNode tree = parse_json(config, problems);
    ConfigReader reader(tree, "", problems);
    Config read;
    read.fields(reader);
    reader.finish();
    problems.throw_if_any();
    return to_lines(resolved(read));
  } catch (const Error&) {
    return config;
  }
}

// Does the folder hold a run of this resolved config? Error when it holds another's.
bool holds_run(const std::string& own, const fs::path& folder) {
  const fs::path file = folder / "config.json";
  if (!fs::exists(file)) return false;
  const std::string held = read_file(file);
  if (held != own) require_same_config(as_written_now(held, file.string()), own, folder);
  return true;
}

// `goes_on` with what earlier sessions have done there.
void begin_folder(const Config& config, const Data* data, const fs::path& folder, bool goes_on) {
  const fs::path file = folder / "run.json";
  JsonNode before = JsonNode::object();
  if (goes_on && fs::exists(file)) {
    Problems problems(file.string());
    before = parse_json(read_file(file), problems);
    problems.throw_if_any();
  }
  write_environment(config, data, before, file);
  write_file(folder / "config.json", to_lines(resolved(config)));
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
  begin_folder(config, &task.data(), settings.folder, progress.step > 0);
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

void require_same_config(const std::string& held, const std::string& own, const fs::path& folder) {
  check(held == own, folder.string(), ": holds another experiment (", first_difference(held, own),
        "); choose another folder with --out, or remove this one");
}

std::optional<RunResult> finished_run(const Config& config, const fs::path& folder) {
  if (!holds_run(to_lines(resolved(config)), folder)) return std::nullopt;
  if (!fs::exists(folder / "result.json")) return std::nullopt;
  return read_result(folder / "result.json");
}

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
        copies == 1 ? "; use a smaller model or smaller batches with more of them accumulated (train.accumulate)"
                    : text(", too little for ", copies, " runs side by side; choose fewer with --side-by-side"));
  return size;
}

RunResult run_one(const Config& config, const RunSettings& settings) {
  const std::string own = to_lines(resolved(config));
  const bool begun = holds_run(own, settings.folder);
  check(!begun || settings.resume, settings.folder.string(),
        ": holds an unfinished run of this config; go on with --resume, or choose another folder with --out");

  std::unique_ptr<Data> data;
  if (config.measurement->of_model()) {
    data = load_data(config, settings.data_directory);
    require_memory(config, *data);
  }
  require_writable_directory(settings.folder);
  const FolderLock lock(settings.folder);
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
    begin_folder(config, data.get(), settings.folder, false);
  }
  if (task) result.parameters = task->model().parameter_count();
  if (!config.measurement->only_trains() && !result.diverged()) {
    result.seconds += seconds_of([&] { measure(config, settings, task.get(), result.steps); });
  }
  write_result(result, settings.folder / "result.json");
  return result;
}

}  // namespace normlab

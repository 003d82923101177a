// What is left to do is planned, started as places come free, watched, and told.
#include "scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "../../engine/parallel.h"
#include "../environment.h"
#include "../files.h"
#include "../folder_lock.h"
#include "../interrupt.h"
#include "../progress_bar.h"
#include "../trainer.h"
#include "run_process.h"
#include "sharing.h"

namespace normlab {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Pending = std::vector<const Run*>;

std::string title_of(const Run& run) { return fmt::format("{}, seed {}", label_of(run.arms), run.seed); }

std::string outcome_text(const RunResult& r) {
  if (r.diverged()) return fmt::format("diverged at step {}, first at {}", r.diverged_step, r.diverged_site);
  if (!r.trained()) return fmt::format("measured, {:.1f} s", r.seconds);
  if (std::isnan(r.final_nll)) return fmt::format("trained, {:.1f} s", r.seconds);
  return fmt::format("valid perplexity {:.2f}, {:.1f} s", std::exp(r.final_nll), r.seconds);
}

std::string how_to_go_on(const ExperimentSettings& settings) {
  return text("everything so far is in ", settings.folder.string(), "; go on with the same command and --resume");
}

RunSettings settings_of(const Run& run, const ExperimentSettings& settings) {
  RunSettings one;
  one.folder = run_folder(run, settings.folder);
  one.data_directory = settings.data_directory;
  one.resume = settings.resume || !run.name.empty();
  one.quiet = settings.quiet || !run.name.empty();
  return one;
}

// --- before anything starts ------------------------------------------------------------------------------------------

// Runs that other experiments have done, with their folders; they are taken out of `pending`. Times are measured anew.
using Shared = std::vector<std::pair<const Run*, fs::path>>;
Shared find_shared(Pending& pending, const ExperimentSettings& settings) {
  if (settings.share.empty()) return {};
  const FinishedRuns finished(settings.share);
  std::map<std::string, std::string> fingerprints;  // of data, by their settings and seed
  Shared shared;
  std::erase_if(pending, [&](const Run* run) {
    if (run->config.measurement->timed()) return false;
    const auto fingerprint = [&] {
      const JsonNode config = resolved(run->config);
      std::string& known = fingerprints[text(to_line(*config.find("data")), run->config.seed_of_data())];
      if (known.empty()) known = load_data(run->config, settings.data_directory)->fingerprint();
      return known;
    };
    const auto folder = finished.find(run->config, fingerprint);
    if (folder) shared.emplace_back(run, *folder);
    return folder.has_value();
  });
  return shared;
}

void take_over_all(const Shared& shared, const ExperimentSettings& settings) {
  for (const auto& [run, folder] : shared) take_over(folder, run_folder(*run, settings.folder));
  if (shared.empty() || settings.quiet) return;
  fmt::print(stderr, "{} run{} taken over from other experiments in {}\n", shared.size(), shared.size() == 1 ? "" : "s",
             settings.share.string());
}

struct Job {
  const Run* run = nullptr;
  double bytes = 0;  // of memory
  double work = 1;   // steps x tokens x parameters, which the products of training are proportional to
  std::unique_ptr<RunProcess> process;
  RunProcess::Steps steps{0, 0, 0};

  double share(std::int64_t done) const {
    return steps.all == 0 ? 0 : static_cast<double>(done) / static_cast<double>(steps.all);
  }
};

// What each run takes. Everything that can be wrong with the data or the size of a run is found here; seeds make no
// difference to either.
std::list<Job> plan(const Pending& pending, const ExperimentSettings& settings) {
  const int copies = std::max(1, std::min(settings.side_by_side, static_cast<int>(pending.size())));
  std::map<std::string, Job> known;
  std::string data_known;
  std::unique_ptr<Data> data;
  std::list<Job> jobs;
  for (const Run* run : pending) {
    Config config = run->config;
    config.seed = 1;
    config.init_seed = config.data_seed = 0;
    const JsonNode whole = resolved(config);
    const auto [found, is_new] = known.try_emplace(to_line(whole));
    Job& job = found->second;
    if (is_new && config.measurement->of_model()) {
      const std::string data_wanted = to_line(*whole.find("data"));
      if (data_wanted != data_known) data = load_data(run->config, settings.data_directory);
      data_known = data_wanted;
      const TrainingSize size = require_memory(config, *data, copies);
      const std::int64_t steps = std::max<std::int64_t>(1, steps_of(config, *data)) * config.train.accumulate;
      job.bytes = size.bytes();
      job.work = static_cast<double>(steps) * static_cast<double>(size.tokens) * static_cast<double>(size.parameters);
    }
    jobs.push_back({run, job.bytes, job.work, nullptr, {0, 0, 0}});
  }
  return jobs;
}

// How many at once on so many threads. What measures times has the machine to itself.
std::size_t places(const std::list<Job>& jobs, int threads, const ExperimentSettings& settings) {
  const auto timed = [](const Job& job) { return job.run->config.measurement->timed(); };
  if (std::any_of(jobs.begin(), jobs.end(), timed)) return 1;
  if (settings.side_by_side > 0) return static_cast<std::size_t>(settings.side_by_side);
  double bytes = 1;
  for (const Job& job : jobs) bytes = std::max(bytes, job.bytes);
  const double available = available_memory();
  const double fit = available == 0 ? 1e9 : std::floor(0.8 * available / bytes);
  return static_cast<std::size_t>(std::clamp(fit, 1.0, static_cast<double>(threads)));
}

// --- while they run --------------------------------------------------------------------------------------------------

class Scheduler {
 public:
  // All but `jobs` of so many runs are done.
  Scheduler(std::list<Job> jobs, std::size_t runs, int threads, const ExperimentSettings& settings)
      : settings_(settings),
        threads_(threads),
        places_(places(jobs, threads, settings)),
        runs_(runs),
        finished_(runs - jobs.size()),
        waiting_(std::move(jobs)),
        line_(settings.quiet),
        start_(Clock::now()),
        last_(start_) {}

  void run() {
    while (!running_.empty() || (!waiting_.empty() && !stopping_)) {
      if (interrupted()) stop();
      start_waiting();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      for (auto job = running_.begin(); job != running_.end();) {
        job->steps = job->process->steps();
        const auto ending = job->process->ended();
        const auto next = std::next(job);
        if (ending) over(job, *ending);
        job = next;
      }
      show();
    }
    line_.clear();
    if (failed_) {
      const std::string message = text(title_of(*failed_->run), ": ", failure_.message,
                                       "; the other runs have stopped in good order; ", how_to_go_on(settings_));
      if (failure_.end == RunProcess::End::wrong_input) throw Error(message);
      throw MachineError(message);
    }
    if (stopping_ && finished_ < runs_) {
      throw Interrupted(text("stopped with ", finished_, " of ", runs_, " runs done",
                             stopped_.empty() ? "" : " (" + listed(stopped_) + ")", "; ", how_to_go_on(settings_)));
    }
  }

 private:
  void start_waiting() {
    while (!stopping_ && !waiting_.empty() && running_.size() < places_) {
      Job& job = waiting_.front();
      // It begins with its share of the threads, since that is what its record will say.
      job.process = std::make_unique<RunProcess>(job.run->config, settings_of(*job.run, settings_),
                                                 std::max(1, threads_ / static_cast<int>(places_)));
      running_.splice(running_.end(), waiting_, waiting_.begin());
      share_threads();
    }
  }

  void share_threads() {
    const int count = static_cast<int>(running_.size());
    int place = 0;
    for (Job& job : running_) {
      job.process->set_threads(std::max(1, threads_ / count + (place < threads_ % count)));
      ++place;
    }
  }

  // All that run save a checkpoint and end.
  void stop() {
    if (std::exchange(stopping_, true)) return;
    for (Job& job : running_) job.process->ask_to_stop();
  }

  void over(std::list<Job>::iterator job, const RunProcess::Ending& ending) {
    job->process.reset();
    over_.splice(over_.end(), running_, job);
    if (ending.end == RunProcess::End::done) {
      job->steps.done = job->steps.all;
      ++finished_;
      const auto result = finished_run(job->run->config, run_folder(*job->run, settings_.folder));
      line_.line(fmt::format("[{}/{}] {}: {}", finished_, runs_, title_of(*job->run), outcome_text(result.value())));
    } else if (ending.end == RunProcess::End::interrupted) {
      stopped_.push_back(title_of(*job->run) + ": " + ending.message);
      stop();
    } else if (!failed_) {
      failed_ = &*job;
      failure_ = ending;
      stop();
    }
    if (!running_.empty()) share_threads();
  }

  // "4/12 runs, 1 min 20 s left", and where each stands.
  void show() {
    double work = 0, done = 0, before = 0;
    for (const std::list<Job>* jobs : {&waiting_, &running_, &over_}) {
      for (const Job& job : *jobs) {
        work += job.work;
        done += job.work * job.share(job.steps.done);
        before += job.work * job.share(job.steps.before);
      }
    }
    const auto now = Clock::now();
    const int tenths = static_cast<int>(10 * done / work);
    if (finished_ == runs_) return;
    // On a terminal five times a second; in a file at every tenth of the work, and not before ten seconds are over.
    if (now - last_ < std::chrono::milliseconds(line_.terminal() ? 200 : 10000)) return;
    if (!line_.terminal() && tenths <= tenths_) return;
    last_ = now;
    tenths_ = tenths;
    const double elapsed = std::chrono::duration<double>(now - start_).count();
    std::string text = fmt::format("{}/{} runs", finished_, runs_);
    if (done > before) text += fmt::format(", {} left", duration_text(elapsed * (work - done) / (done - before)));
    if (line_.terminal()) text = bar_text(done / work) + " " + text;
    for (const Job& job : running_) {
      text += fmt::format(" | {} {}/{}", title_of(*job.run), job.steps.done, job.steps.all);
    }
    line_.renew(text);
  }

  const ExperimentSettings& settings_;
  int threads_;
  std::size_t places_;
  std::size_t runs_, finished_;
  std::list<Job> waiting_, running_, over_;
  bool stopping_ = false;
  std::vector<std::string> stopped_;  // by the user: each with where
  const Job* failed_ = nullptr;       // the first
  RunProcess::Ending failure_{RunProcess::End::done, ""};
  ProgressLine line_;
  Clock::time_point start_, last_;
  int tenths_ = 0;
};

struct ThreadsForNow {
  explicit ThreadsForNow(int count) { set_threads(count); }
  ~ThreadsForNow() { set_threads(before); }
  const int before = threads();
};

void run_single(const Run& run, const ExperimentSettings& settings) {
  try {
    run_one(run.config, settings_of(run, settings));
  } catch (const Interrupted& stop) {
    throw Interrupted(text(stop.what(), "; ", how_to_go_on(settings)));
  }
}

}  // namespace

std::vector<RunResult> run_all(const Experiment& experiment, const ExperimentSettings& settings) {
  const bool sweep = !experiment.runs.front().name.empty();
  // A fork has none of the threads that its parent made, so a parent makes none.
  const ThreadsForNow own(sweep ? 1 : threads());
  const auto result_of = [&](const Run& run) { return finished_run(run.config, run_folder(run, settings.folder)); };
  Pending pending;
  for (const Run& run : experiment.runs) {
    if (!result_of(run)) pending.push_back(&run);
  }
  const Shared shared = find_shared(pending, settings);
  std::list<Job> jobs = plan(pending, settings);

  require_writable_directory(settings.folder);
  std::optional<FolderLock> lock;  // a single run locks the folder itself
  if (sweep) lock.emplace(settings.folder);
  // What is said about the runs may have changed since.
  write_file(settings.folder / "experiment.json", to_lines(experiment.resolved));
  if (!settings.command.empty()) write_file(settings.folder / "command.txt", settings.command + "\n");
  take_over_all(shared, settings);
  if (sweep) {
    // Another process may have done some until the folder was free.
    jobs.remove_if([&](const Job& job) { return result_of(*job.run).has_value(); });
    Scheduler(std::move(jobs), experiment.runs.size(), own.before, settings).run();
  } else if (!pending.empty()) {
    run_single(*pending.front(), settings);
  }
  std::vector<RunResult> results;
  for (const Run& run : experiment.runs) results.push_back(result_of(run).value());
  return results;
}

}  // namespace normlab

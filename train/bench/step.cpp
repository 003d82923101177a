// The training step that is timed: forward, backward, clip, update, with everything on.
#include "step.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "../../engine/storage.h"
#include "../optimizer.h"
#include "../peak.h"
#include "../progress_bar.h"
#include "measure.h"

namespace normlab {
namespace {

// Reads the clock at the end of each part of a step. What lies between two readings is the later part's: an op's own
// time and what its module did before it; in the backward of a linear map also making again what a norm gave it (Kept).
class StepClock final : public Observer {
 public:
  bool sees_values() const override { return false; }  // the ops of a step that nobody looks at
  void computed(const char* op) override { lap(op, &OpShare::forward); }
  void differentiated(const char* op) override { lap(op, &OpShare::backward); }

  void start() { last_ = Clock::now(); }
  void lap(const char* op, double OpShare::*direction) {
    const Clock::time_point now = Clock::now();
    auto share = std::find_if(shares_.begin(), shares_.end(), [&](const OpShare& s) { return s.op == op; });
    if (share == shares_.end()) share = shares_.insert(share, OpShare{op});
    (*share).*direction += std::chrono::duration<double>(now - last_).count();
    if (direction == &OpShare::forward) ++share->calls;
    last_ = now;
  }
  // The costliest first, each divided by the number of steps.
  std::vector<OpShare> shares(int steps) const {
    std::vector<OpShare> all = shares_;
    for (OpShare& s : all) s = {s.op, s.forward / steps, s.backward / steps, s.calls / steps};
    std::sort(all.begin(), all.end(),
              [](const OpShare& a, const OpShare& b) { return a.forward + a.backward > b.forward + b.backward; });
    return all;
  }

 private:
  using Clock = std::chrono::steady_clock;
  std::vector<OpShare> shares_;
  Clock::time_point last_;
};

// A model in training.
class Trainee {
 public:
  explicit Trainee(Workload& workload)
      : workload_(workload),
        parameters_(workload.model().parameters()),
        optimizer_(OptimizerConfig("adam")->make(parameters_)) {}

  // One step on each batch in turn.
  void round(StepClock* clock = nullptr) {
    for (std::size_t batch = 0; batch < workload_.batches(); ++batch) {
      const auto done = [&](const char* part) {
        if (clock) clock->lap(part, &OpShare::forward);
      };
      const Pass pass{true, 1, ++step_, 0};
      if (clock) clock->start();
      {
        Tape tape(clock);
        tape.backward(workload_.loss(batch, pass));
      }
      const double norm = gradient_norm(parameters_);
      done("(gradient norm)");
      optimizer_->step(1e-4, clip_factor(norm, 1));
      done("(adam)");
    }
  }

  double state_bytes() const {
    double bytes = 0;
    for (const Named& parameter : parameters_) bytes += 2 * static_cast<double>(parameter.tensor.bytes());
    for (const Named& state : optimizer_->state()) bytes += static_cast<double>(state.tensor.bytes());
    return bytes;
  }

 private:
  Workload& workload_;
  const std::vector<Named> parameters_;
  const std::unique_ptr<Optimizer> optimizer_;
  std::uint64_t step_ = 0;
};

// What this process holds now; 0 where the system does not tell.
double resident_bytes() {
  double pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;  // the second number of the line
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

}  // namespace

StepFigures measure_step(const NamedWorkload& named, int steps, const StackConfig::Recompute& recompute) {
  check(steps >= 2, "bench step: at least 2 steps, got ", steps);
  StepFigures figures{.workload = named.name, .doc = named.doc, .recompute = recompute, .peak = measure_peak()};
  figures.process_bytes = resident_bytes();
  const std::unique_ptr<Workload> workload = named.make(recompute);
  const auto batches = static_cast<double>(workload->batches());
  figures.rounds = std::max(1, static_cast<int>(std::ceil(steps / batches)) - 1);
  figures.tokens = workload->tokens() / batches;
  figures.operations = workload->operations() / batches;

  Trainee trainee(*workload);
  trainee.round();
  const auto blocks = pool_counts().fresh_blocks;
  std::vector<double> seconds;
  for (int round = 0; round < figures.rounds; ++round) {
    seconds.push_back(seconds_of([&] { trainee.round(); }) / batches);
    figures.peak = std::max(figures.peak, measure_peak(1));
  }
  figures.seconds = median(seconds);
  figures.fresh_blocks = pool_counts().fresh_blocks - blocks;
  figures.state_bytes = trainee.state_bytes();
  figures.peak_bytes = peak_resident_bytes();

  StepClock clock;
  const int watched_rounds = (figures.rounds + 1) / 2;
  for (int round = 0; round < watched_rounds; ++round) trainee.round(&clock);
  figures.ops = clock.shares(watched_rounds * static_cast<int>(workload->batches()));
  return figures;
}

std::string as_text(const StepFigures& f) {
  const double flops = f.operations / f.seconds;
  std::string lines = fmt::format("step {}: {}; dropout 0.1, Adam\n", f.workload, f.doc);
  if (f.recompute.attention) lines += "  attention recomputed\n";
  if (f.recompute.feed_forward) lines += "  feed-forward networks recomputed\n";
  lines += fmt::format("  {:.1f} ms a step (median of {})   {} tokens/s\n", f.seconds * 1e3, f.rounds,
                       short_number(f.tokens / f.seconds));
  lines += fmt::format("  {:.0f} GFLOP/s of useful products, {:.0f} % of the machine's {:.0f} GFLOP/s\n", flops / 1e9,
                       100 * flops / f.peak, f.peak / 1e9);
  lines += fmt::format(
      "  {:.0f} MB at most: {:.0f} parameters, gradients and moments, {:.0f} beyond, {:.0f} the program itself\n"
      "  {} new blocks of storage after the first round\n",
      f.peak_bytes / 1e6, f.state_bytes / 1e6, f.beyond_state_bytes() / 1e6, f.process_bytes / 1e6, f.fresh_blocks);
  lines += fmt::format("  {:>28}{:>9}{:>10}{:>7}\n", "forward", "backward", "of step", "calls");
  double total = 0;
  for (const OpShare& s : f.ops) total += s.forward + s.backward;
  for (const OpShare& s : f.ops) {
    lines += fmt::format("  {:21}{:7.1f}{:9.1f} ms{:5.1f} %{:7}\n", s.op, s.forward * 1e3, s.backward * 1e3,
                         100 * (s.forward + s.backward) / total, s.calls);
  }
  return lines;
}

std::string as_json(const StepFigures& f) {
  const double flops = f.operations / f.seconds;
  JsonNode out = JsonNode::object();
  out.add("workload", JsonNode::of(f.workload));
  JsonNode& recompute = out.add("recompute", JsonNode::object());
  recompute.add("attention", JsonNode::of(f.recompute.attention));
  recompute.add("feed_forward", JsonNode::of(f.recompute.feed_forward));
  out.add("milliseconds", JsonNode::of(f.seconds * 1e3));
  out.add("tokens_per_second", JsonNode::of(f.tokens / f.seconds));
  out.add("gflops", JsonNode::of(flops / 1e9));
  out.add("peak_gflops", JsonNode::of(f.peak / 1e9));
  out.add("share_of_peak", JsonNode::of(flops / f.peak));
  out.add("peak_memory_bytes", JsonNode::of(f.peak_bytes));
  out.add("state_bytes", JsonNode::of(f.state_bytes));
  out.add("beyond_state_bytes", JsonNode::of(f.beyond_state_bytes()));
  out.add("fresh_blocks_after_first_round", JsonNode::of(static_cast<std::int64_t>(f.fresh_blocks)));
  JsonNode& ops = out.add("ops", JsonNode::array());
  for (const OpShare& s : f.ops) {
    JsonNode op = JsonNode::object();
    op.add("op", JsonNode::of(s.op));
    op.add("forward_milliseconds", JsonNode::of(s.forward * 1e3));
    op.add("backward_milliseconds", JsonNode::of(s.backward * 1e3));
    op.add("calls", JsonNode::of(static_cast<std::int64_t>(s.calls)));
    ops.items.push_back(std::move(op));
  }
  add_environment(out);
  return to_line(out) + "\n";
}

}  // namespace normlab

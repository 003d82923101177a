// ./normlab bench: whole training steps, timed and counted.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <numeric>

#include "../../engine/ops/loss.h"
#include "../../engine/parallel.h"
#include "../../nn/language_model.h"
#include "../commands.h"
#include "../environment.h"
#include "../json_tree.h"
#include "../optimizer.h"
#include "../peak.h"
#include "../progress_bar.h"

namespace normlab {
namespace {

// A language model and the batch it is trained on, of random tokens.
struct Workload {
  std::string name, doc;
  LanguageModelConfig model;
  Index vocabulary, sequences, length;
};

Workload lm_workload() {
  Workload w{
      "lm", "4 layers, width 256, 4 heads, ffn 1024, vocabulary 10,000, tied; 16 x 128 tokens, dropout 0.1, Adam",
      {},   10'000,
      16,   128};
  w.model.layers = 4;
  w.model.width = 256;
  w.model.heads = 4;
  w.model.feed_forward = 1024;
  w.model.dropout = 0.1;
  w.model.attention_dropout = 0.1;
  return w;
}

// Multiply-adds of the matrix products that a step cannot do without, two operations each: forward once, backward
// twice.
double useful_operations(const Workload& w) {
  const auto number = [](auto value) { return static_cast<double>(value); };
  const double width = number(w.model.width), tokens = number(w.sequences * w.length);
  const double maps = number(w.model.layers) * (4 * width * width + 2 * width * number(w.model.feed_forward));
  // Causal: a token at place i meets i + 1 keys, once for the scores and once for the values.
  const double attention = number(w.model.layers) * 2 * width * number(w.length + 1) / 2;
  return 3 * 2 * tokens * (maps + attention + width * number(w.vocabulary));
}

struct Measurement {
  double median_seconds = 0;
  std::uint64_t fresh_blocks = 0;  // storage asked of the system after the first step
  double pool_peak_bytes = 0;
};

Measurement measure_step(const Workload& w, int steps) {
  Init init;
  LanguageModel model(init, w.model, w.vocabulary, w.length);
  OptimizerConfig adam("adam");
  const auto parameters = model.parameters();
  const auto optimizer = adam->make(parameters);
  const Rows rows = Rows::equal(w.sequences, w.length);
  Tensor inputs = Tensor::empty({rows.tokens()}, Dtype::i32), targets = Tensor::empty({rows.tokens()}, Dtype::i32);
  Random random(1, "bench");
  for (Index i = 0; i < rows.tokens(); ++i) {
    inputs.set(i, static_cast<double>(random.below(w.vocabulary)));
    targets.set(i, static_cast<double>(random.below(w.vocabulary)));
  }
  Measurement result;
  std::vector<double> seconds;
  for (int step = 1; step <= steps; ++step) {
    const auto blocks = pool_counts().fresh_blocks;
    const auto start = std::chrono::steady_clock::now();
    {
      const Pass pass{true, 1, static_cast<std::uint64_t>(step), 0};
      Tape tape;
      tape.backward(cross_entropy(model.logits(inputs, rows, pass), targets, rows).loss);
    }
    clip_gradients(parameters, 1);
    optimizer->step(1e-4);
    zero_gradients(parameters);
    if (step == 1) continue;  // the first one fills the pool
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    result.fresh_blocks += pool_counts().fresh_blocks - blocks;
  }
  std::nth_element(seconds.begin(), seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2), seconds.end());
  result.median_seconds = seconds[seconds.size() / 2];
  result.pool_peak_bytes = static_cast<double>(pool_counts().peak_bytes_in_use);
  return result;
}

double peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

void bench_step(const Workload& w, int steps, bool json) {
  const double peak = measure_peak();
  const Measurement m = measure_step(w, steps);
  const double flops = useful_operations(w) / m.median_seconds;
  const auto tokens = static_cast<double>(w.sequences * w.length);
  if (json) {
    JsonNode out = JsonNode::object();
    out.add("workload", JsonNode::of(w.name));
    out.add("milliseconds", JsonNode::of(m.median_seconds * 1e3));
    out.add("tokens_per_second", JsonNode::of(tokens / m.median_seconds));
    out.add("gflops", JsonNode::of(flops / 1e9));
    out.add("peak_gflops", JsonNode::of(peak / 1e9));
    out.add("share_of_peak", JsonNode::of(flops / peak));
    out.add("peak_memory_bytes", JsonNode::of(peak_memory_bytes()));
    out.add("fresh_blocks_after_first_step", JsonNode::of(static_cast<std::int64_t>(m.fresh_blocks)));
    out.add("threads", JsonNode::of(static_cast<std::int64_t>(threads())));
    for (const auto& [name, value] : environment()) {
      if (name != "threads") out.add(name, JsonNode::of(value));
    }
    fmt::print("{}\n", to_line(out));
    return;
  }
  fmt::print("step {}: {}\n", w.name, w.doc);
  fmt::print("  {:.1f} ms a step (median of {})   {} tokens/s\n", m.median_seconds * 1e3, steps - 1,
             short_number(tokens / m.median_seconds));
  fmt::print("  {:.0f} GFLOP/s of useful products, {:.0f} % of the machine's {:.0f} GFLOP/s\n", flops / 1e9,
             100 * flops / peak, peak / 1e9);
  fmt::print("  {:.0f} MB of tensors at most, {:.0f} MB in all; {} new blocks after the first step\n",
             m.pool_peak_bytes / 1e6, peak_memory_bytes() / 1e6, m.fresh_blocks);
}

}  // namespace

void add_bench(CLI::App& program, int& status) {
  struct Arguments {
    std::string what = "step";
    int steps = 21, threads = 0;
    bool json = false;
  };
  auto* command = program.add_subcommand("bench", "Time a whole training step");
  auto a = std::make_shared<Arguments>();
  command->add_option("what", a->what, "What to time")->check(CLI::IsMember({"step"}))->capture_default_str();
  command->add_option("--steps", a->steps, "How many steps, the first not counted")
      ->check(CLI::Range(2, 100000))
      ->capture_default_str();
  command->add_option("--threads", a->threads, "Threads; by default all cores")->check(CLI::Range(1, 1024));
  command->add_flag("--json", a->json, "Print JSON");
  command->callback([a, &status] {
    if (a->threads > 0) set_threads(a->threads);
    if (!a->json) fmt::print("{}\n", environment_line());
    bench_step(lm_workload(), a->steps, a->json);
    status = kDone;
  });
}

}  // namespace normlab

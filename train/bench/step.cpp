// The training step that is timed: a small language model with everything on.
#include "step.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <vector>

#include "../../engine/ops/loss.h"
#include "../../nn/language_model.h"
#include "../optimizer.h"
#include "../peak.h"
#include "../progress_bar.h"
#include "measure.h"

namespace normlab {
namespace {

// A language model and the batch it is trained on, of random tokens.
struct Workload {
  std::string name, doc;
  LanguageModelConfig model;
  Index vocabulary = 10'000, sequences = 16, length = 128;
};

Workload lm_workload() {
  Workload w;
  w.name = "lm";
  w.doc = "4 layers, width 256, 4 heads, ffn 1024, vocabulary 10,000, tied; 16 x 128 tokens, dropout 0.1, Adam";
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

double peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

}  // namespace

StepFigures measure_step(int steps) {
  const Workload w = lm_workload();
  StepFigures figures{.workload = w.name,
                      .doc = w.doc,
                      .steps = steps - 1,
                      .tokens = static_cast<double>(w.sequences * w.length),
                      .operations = useful_operations(w),
                      .peak = measure_peak()};
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
  std::vector<double> seconds;
  for (int step = 1; step <= steps; ++step) {
    const auto blocks = pool_counts().fresh_blocks;
    const double took = seconds_of([&] {
      {
        const Pass pass{true, 1, static_cast<std::uint64_t>(step), 0};
        Tape tape;
        tape.backward(cross_entropy(model.logits(inputs, rows, pass), targets, rows).loss);
      }
      clip_gradients(parameters, 1);
      optimizer->step(1e-4);
      zero_gradients(parameters);
    });
    if (step == 1) continue;
    seconds.push_back(took);
    figures.fresh_blocks += pool_counts().fresh_blocks - blocks;
  }
  figures.seconds = median(seconds);
  figures.pool_peak_bytes = static_cast<double>(pool_counts().peak_bytes_in_use);
  figures.memory_peak_bytes = peak_memory_bytes();
  return figures;
}

std::string as_text(const StepFigures& f) {
  const double flops = f.operations / f.seconds;
  return fmt::format("step {}: {}\n", f.workload, f.doc) +
         fmt::format("  {:.1f} ms a step (median of {})   {} tokens/s\n", f.seconds * 1e3, f.steps,
                     short_number(f.tokens / f.seconds)) +
         fmt::format("  {:.0f} GFLOP/s of useful products, {:.0f} % of the machine's {:.0f} GFLOP/s\n", flops / 1e9,
                     100 * flops / f.peak, f.peak / 1e9) +
         fmt::format("  {:.0f} MB of tensors at most, {:.0f} MB in all; {} new blocks after the first step\n",
                     f.pool_peak_bytes / 1e6, f.memory_peak_bytes / 1e6, f.fresh_blocks);
}

std::string as_json(const StepFigures& f) {
  const double flops = f.operations / f.seconds;
  JsonNode out = JsonNode::object();
  out.add("workload", JsonNode::of(f.workload));
  out.add("milliseconds", JsonNode::of(f.seconds * 1e3));
  out.add("tokens_per_second", JsonNode::of(f.tokens / f.seconds));
  out.add("gflops", JsonNode::of(flops / 1e9));
  out.add("peak_gflops", JsonNode::of(f.peak / 1e9));
  out.add("share_of_peak", JsonNode::of(flops / f.peak));
  out.add("peak_memory_bytes", JsonNode::of(f.memory_peak_bytes));
  out.add("fresh_blocks_after_first_step", JsonNode::of(static_cast<std::int64_t>(f.fresh_blocks)));
  add_environment(out);
  return to_line(out) + "\n";
}

}  // namespace normlab

// The norms' benchmark: who takes part, one round, and what is printed.
#include "norms.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "../../engine/parallel.h"
#include "../../engine/tape.h"
#include "../../nn/norm/norm.h"
#include "measure.h"

namespace normlab {
namespace {

constexpr Index kGroups = 4;  // of the pre-scale grouped_rms

struct Contestant {
  std::string kind, pre_scale;
  std::unique_ptr<Norm> norm;
  std::vector<double> forward = {}, backward = {};  // seconds of each counted round
};

std::vector<Contestant> contestants(Index features) {
  std::vector<Contestant> all;
  const auto add = [&](const std::string& kind, const char* pre_scale_name, PreScale pre_scale) {
    NormConfig config(kind);
    config.pre_scale = pre_scale;
    config.pre_scale_groups = kGroups;
    const std::string problem = config.problem(features, kGroups);
    check(problem.empty(), "bench norms: ", kind, " with pre-scale ", pre_scale_name, ": ", problem);
    Init init;
    init.path = kind;
    all.push_back({kind, pre_scale_name, config.make(init, features, kGroups)});
  };
  for (const auto& entry : registered(static_cast<const NormOptions*>(nullptr))) {
    if (entry.kind != "none") add(entry.kind, "none", PreScale::none);
  }
  add("none", "rms", PreScale::rms);
  add("none", "grouped_rms", PreScale::grouped_rms);
  return all;
}

Tensor random_matrix(Index rows, Index features, const char* name) {
  Tensor x = Tensor::empty({rows, features}, Dtype::f32);
  fill_normal(x, random_stream(1, name), 0, 1);
  return x;
}

// `values` as the output of an op, so that backward writes dx and does not add to it. In a network x is such an
// output. Were it a leaf, it would own a gradient that each backward adds to, and reading that would be one more matrix
// than passes() counts. The op does nothing, forwards or backwards, and takes no time.
Tensor as_intermediate(const Tensor& values) {
  Tensor leaf = Tensor::zeros({1}, values.dtype());
  leaf.require_gradient();
  return record("input", {&leaf}, values, [](const Tensor&, Gradients&) {});
}

void copy(const Tensor& from, Tensor& to) {
  parallel_rows(from.rows(), from.columns(),
                [x = from.data<float>(), y = to.data<float>(), n = from.columns()](Index begin, Index end) {
                  for (Index i = begin * n; i < end * n; ++i) y[i] = x[i];
                });
}

Transfer transfer(const std::vector<double>& seconds, int passes, double matrix_bytes) {
  Transfer t{.seconds = median(seconds), .passes = passes, .bytes = passes * matrix_bytes};
  t.bytes_per_second = t.bytes / t.seconds;
  return t;
}

}  // namespace

NormsFigures measure_norms(Index rows, Index features, int rounds) {
  check(rounds >= 2, "bench norms: at least 2 rounds, got ", rounds);
  auto all = contestants(features);
  const Tensor values = random_matrix(rows, features, "bench.x"), dy = random_matrix(rows, features, "bench.dy");
  Tensor copied = values.clone();
  const Rows one_sequence = Rows::single(rows);
  std::vector<double> copies;
  // Each round runs all in turn, so that what else the machine does meets all alike.
  for (int round = 0; round < rounds; ++round) {
    const bool counts = round > 0;
    const double copying = seconds_of([&] { copy(values, copied); });
    if (counts) copies.push_back(copying);
    for (Contestant& c : all) {
      const Pass pass{.training = true, .seed = 1, .step = static_cast<std::uint64_t>(round)};
      Tape tape;
      const Tensor x = as_intermediate(values);
      Tensor y;
      const double forward = seconds_of([&] { y = c.norm->forward(x, one_sequence, pass); });
      const double backward = seconds_of([&] { tape.backward(y, dy); });
      c.norm->commit();
      if (!counts) continue;
      c.forward.push_back(forward);
      c.backward.push_back(backward);
    }
  }

  const auto matrix_bytes = static_cast<double>(values.bytes());
  NormsFigures figures{
      .rows = rows, .features = features, .rounds = rounds - 1, .copy = transfer(copies, 2, matrix_bytes), .norms = {}};
  const auto against_copy = [&](const std::vector<double>& seconds, int passes) {
    Transfer t = transfer(seconds, passes, matrix_bytes);
    t.over_floor = figures.copy.bytes_per_second / t.bytes_per_second;
    return t;
  };
  for (const Contestant& c : all) {
    const Norm::Passes passes = c.norm->passes();
    figures.norms.push_back(
        {c.kind, c.pre_scale, against_copy(c.forward, passes.forward), against_copy(c.backward, passes.backward)});
  }
  return figures;
}

std::string as_text(const NormsFigures& f) {
  std::size_t width = 4;
  for (const NormFigures& norm : f.norms) width = std::max(width, norm.kind.size());
  std::string text = fmt::format("norms: training forward and backward of f32 [{}, {}], median of {} rounds\n", f.rows,
                                 f.features, f.rounds);
  text += fmt::format("copy y[i] = x[i]: {:.2f} ms, {:.0f} MB, {:.1f} GB/s; the floor is the time at that rate\n\n",
                      f.copy.seconds * 1e3, f.copy.bytes / 1e6, f.copy.bytes_per_second / 1e9);
  const char* const columns = "      ms  passes    MB   GB/s  /floor";
  text += fmt::format("{:{}}  {:11}{:>21}{:>37}\n", "", width, "", "forward", "backward");
  text += fmt::format("{:{}}  {:11}{}{}\n", "norm", width, "pre-scale", columns, columns);
  for (const NormFigures& norm : f.norms) {
    text += fmt::format("{:{}}  {:11}", norm.kind, width, norm.pre_scale);
    for (const Transfer& t : {norm.forward, norm.backward}) {
      text += fmt::format("{:8.2f}{:8}{:6.0f}{:7.1f}{:8.2f}", t.seconds * 1e3, t.passes, t.bytes / 1e6,
                          t.bytes_per_second / 1e9, t.over_floor);
    }
    text += "\n";
  }
  return text;
}

std::string as_json(const NormsFigures& f) {
  const auto object = [](const Transfer& t) {
    JsonNode node = JsonNode::object();
    node.add("milliseconds", JsonNode::of(t.seconds * 1e3));
    node.add("passes", JsonNode::of(static_cast<std::int64_t>(t.passes)));
    node.add("bytes", JsonNode::of(t.bytes));
    node.add("gigabytes_per_second", JsonNode::of(t.bytes_per_second / 1e9));
    node.add("over_floor", JsonNode::of(t.over_floor));
    return node;
  };
  std::string lines;
  for (const NormFigures& norm : f.norms) {
    JsonNode out = JsonNode::object();
    out.add("norm", JsonNode::of(norm.kind));
    out.add("pre_scale", JsonNode::of(norm.pre_scale));
    out.add("rows", JsonNode::of(f.rows));
    out.add("features", JsonNode::of(f.features));
    out.add("rounds", JsonNode::of(static_cast<std::int64_t>(f.rounds)));
    out.add("forward", object(norm.forward));
    out.add("backward", object(norm.backward));
    out.add("copy_gigabytes_per_second", JsonNode::of(f.copy.bytes_per_second / 1e9));
    add_environment(out);
    lines += to_line(out) + "\n";
  }
  return lines;
}

}  // namespace normlab

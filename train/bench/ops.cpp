// The ops' benchmark: who takes part, one round, and what is printed.
#include "ops.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>

#include "../../engine/ops/dropout.h"
#include "../../engine/ops/elementwise.h"
#include "../../engine/ops/embedding.h"
#include "../../engine/ops/loss.h"
#include "../../engine/ops/reduce.h"
#include "../../engine/ops/softmax.h"
#include "../../engine/parallel.h"
#include "../../engine/random.h"
#include "../../engine/tape.h"
#include "../../nn/norm/norm.h"
#include "../peak.h"
#include "measure.h"

namespace normlab {
namespace {

constexpr Index kGroups = 4;  // of the pre-scale grouped_rms

// What an op is given: matrices of random numbers, and a training pass. x and b are outputs of other ops, as in a
// network.
struct Inputs {
  Tensor x, b, bias, table, ids;
  Pass pass;
};

// What an op cannot do without, in one direction.
struct Demand {
  int passes;
  int instructions = 0;
};

struct Contestant {
  std::string name, pre_scale;
  std::function<Tensor(const Inputs&)> forward;
  Demand forward_demand, backward_demand;
  std::shared_ptr<Norm> norm = nullptr;                 // of a norm, whose statistics are committed
  std::vector<Transfer> forwards = {}, backwards = {};  // of each counted round
};

// An exponential: three instructions for the whole power of two, six for a polynomial of the rest, one to put the two
// together. A random word: a quarter of a Philox block of ten rounds, each of two wide multiplications, and its
// comparison. Before AVX-512 no instruction splits off a whole power, multiplies by it or joins three words bit by bit:
// an exponential takes one for its limit, four for the power and the rest, six for the polynomial, and three to put
// them together; and a round for four blocks, which are two vectors of words, two products, two shifts and four
// exclusive ors.
#if defined(__AVX512F__)
constexpr int kExp = 10, kRandomWord = 28;
#else
constexpr int kExp = 14, kRandomWord = 41;
#endif
// GELU has an exponential and a polynomial of nine terms in a reciprocal (engine/ops/elementwise.cpp). Softmax and its
// like have, beside an exponential, what their formulas show: the largest element, differences, a sum, a factor.
constexpr int kGelu = kExp + 24, kGeluBackward = kExp + 28;

std::vector<Contestant> elementwise_ops() {
  return {
      {"add", "", [](const Inputs& in) { return add(in.x, in.b); }, {3}, {2}},
      {"subtract", "", [](const Inputs& in) { return subtract(in.x, in.b); }, {3}, {2}},
      {"multiply", "", [](const Inputs& in) { return multiply(in.x, in.b); }, {3}, {5}},
      {"add_bias", "", [](const Inputs& in) { return add_bias(in.x, in.bias); }, {2}, {1}},
      {"scale", "", [](const Inputs& in) { return scale(in.x, 0.5); }, {2}, {2}},
      {"relu", "", [](const Inputs& in) { return relu(in.x); }, {2}, {3}},
      {"gelu", "", [](const Inputs& in) { return gelu(in.x); }, {2, kGelu}, {3, kGeluBackward}},
      {"dropout",
       "",
       [](const Inputs& in) { return dropout(in.x, 0.1, in.pass.stream("dropout")); },
       {2, kRandomWord},
       {2, kRandomWord}},
      {"softmax", "", [](const Inputs& in) { return softmax(in.x); }, {2, kExp + 4}, {3}},
      {"log_softmax", "", [](const Inputs& in) { return log_softmax(in.x); }, {2, kExp + 5}, {3, kExp + 2}},
      {"cross_entropy",
       "",
       [](const Inputs& in) { return cross_entropy(in.x, in.ids, Rows::single(in.x.rows())).loss; },
       {1, kExp + 3},
       {2, kExp + 3}},
      // The ids name few rows of the table, which stay in cache: moved are the other matrices alone.
      {"embedding", "", [](const Inputs& in) { return embedding(in.table, in.ids); }, {1}, {1}},
      {"gather_rows", "", [](const Inputs& in) { return gather_rows(in.x, in.ids); }, {1}, {2}},
      {"sum", "", [](const Inputs& in) { return sum(in.x); }, {1}, {1}},
      {"sum_rows", "", [](const Inputs& in) { return sum_rows(in.x); }, {1}, {1}},
      {"sum_of_squares", "", [](const Inputs& in) { return sum_of_squares(in.x); }, {1}, {2}},
  };
}

std::vector<Contestant> norms(Index features) {
  std::vector<Contestant> all;
  const auto add = [&](const std::string& kind, const char* pre_scale_name, PreScale pre_scale) {
    NormConfig config(kind);
    config.pre_scale = pre_scale;
    config.pre_scale_groups = kGroups;
    const std::string problem = config.problem(features, kGroups);
    check(problem.empty(), "bench norms: ", kind, " with pre-scale ", pre_scale_name, ": ", problem);
    Init init;
    init.path = kind;
    const std::shared_ptr<Norm> norm = config.make(init, features, kGroups);
    const auto forward = [norm = norm.get()](const Inputs& in) {
      return norm->forward(in.x, Rows::single(in.x.rows()), in.pass);
    };
    const Norm::Passes passes = norm->passes();
    all.push_back({kind, pre_scale_name, forward, {passes.forward}, {passes.backward}, norm});
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
// than passes counts. The op does nothing, forwards or backwards, and takes no time.
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

// What the machine does at a moment: bytes that a copy moves, and operations, per second.
struct Machine {
  double bandwidth, peak;
};

// The figures of an op of that demand on a matrix of so many bytes.
Transfer transfer(double seconds, Demand demand, double matrix_bytes, const Machine& now) {
  Transfer t{.seconds = seconds, .passes = demand.passes, .bytes = demand.passes * matrix_bytes};
  t.bytes_per_second = t.bytes / t.seconds;
  t.instructions = demand.instructions;
  // A multiply-add is two operations, and so is, at that rate, any other instruction on one element.
  const double elements = matrix_bytes / 4;
  t.moving = t.bytes / now.bandwidth;
  t.computing = 2 * demand.instructions * elements / now.peak;
  return t;
}

// The round in which the time over the floor was the median.
Transfer middle_of(std::vector<Transfer> rounds) {
  const auto middle = rounds.begin() + static_cast<std::ptrdiff_t>(rounds.size() / 2);
  std::nth_element(rounds.begin(), middle, rounds.end(),
                   [](const Transfer& a, const Transfer& b) { return a.over_floor() < b.over_floor(); });
  return *middle;
}

}  // namespace

OpsFigures measure_ops(Index rows, Index features, int rounds, bool norms_alone) {
  check(rounds >= 2, "bench ops: at least 2 rounds, got ", rounds);
  std::vector<Contestant> all = norms_alone ? std::vector<Contestant>{} : elementwise_ops();
  for (Contestant& norm : norms(features)) all.push_back(std::move(norm));

  OpsFigures figures{.rows = rows, .features = features, .rounds = rounds - 1, .copy = {}, .ops = {}};
  const Tensor values = random_matrix(rows, features, "bench.x"), others = random_matrix(rows, features, "bench.b");
  Tensor copied = values.clone();
  Inputs in;
  in.bias = random_matrix(1, features, "bench.bias").reshape({features});
  in.table = random_matrix(rows, features, "bench.table");
  in.bias.require_gradient();
  in.table.require_gradient();
  in.ids = Tensor::empty({rows}, Dtype::i32);
  for (Index i = 0; i < rows; ++i) in.ids.set(i, static_cast<double>(i % std::min(rows, features)));

  const auto matrix_bytes = static_cast<double>(values.bytes());
  std::vector<double> copies, peaks;
  for (int round = 0; round < rounds; ++round) {
    in.pass = {.training = true, .seed = 1, .step = static_cast<std::uint64_t>(round)};
    for (Contestant& c : all) {
      const double peak = measure_peak(1), copying = seconds_of([&] { copy(values, copied); });
      const Machine now{2 * matrix_bytes / copying, peak};
      Tape tape;
      in.x = as_intermediate(values);
      in.b = as_intermediate(others);
      Tensor y;
      const double forward = seconds_of([&] { y = c.forward(in); });
      // As in a network nobody else holds dy, which may thus become dx. One that writes over dy may come in below its
      // floor: a copy also fetches the lines that it writes.
      Tensor dy = y.shape() == values.shape() ? others.clone() : Tensor::full(y.shape(), y.dtype(), 1);
      const double backward = seconds_of([&] { tape.backward(y, std::move(dy)); });
      if (c.norm) c.norm->commit();
      if (round == 0) continue;
      copies.push_back(copying);
      peaks.push_back(peak);
      c.forwards.push_back(transfer(forward, c.forward_demand, matrix_bytes, now));
      c.backwards.push_back(transfer(backward, c.backward_demand, matrix_bytes, now));
    }
  }

  figures.peak = median(peaks);
  const double copying = median(copies);
  figures.copy = transfer(copying, {2}, matrix_bytes, {2 * matrix_bytes / copying, figures.peak});
  for (const Contestant& c : all) {
    figures.ops.push_back({c.name, c.pre_scale, middle_of(c.forwards), middle_of(c.backwards)});
  }
  return figures;
}

std::string as_text(const OpsFigures& f) {
  std::size_t width = 4;
  for (const OpFigures& op : f.ops) width = std::max(width, op.name.size());
  std::string text =
      fmt::format("training forward and backward of f32 [{}, {}], median of {} rounds\n", f.rows, f.features, f.rounds);
  text += fmt::format("copy y[i] = x[i]: {:.2f} ms, {:.0f} MB, {:.1f} GB/s; peak {:.0f} GFLOP/s\n",
                      f.copy.seconds * 1e3, f.copy.bytes / 1e6, f.copy.bytes_per_second / 1e9, f.peak / 1e9);
  text += fmt::format(
      "floor: the passes over a matrix at the rate of the copy, or the arithmetic (a) at the peak:\n"
      "{} instructions an exponential, {} a random word, {} gelu, {} its gradient\n\n",
      kExp, kRandomWord, kGelu, kGeluBackward);
  const char* const columns = "      ms  passes   floor  /floor";
  text += fmt::format("{:{}}  {:11}{:>19}{:>33}\n", "", width, "", "forward", "backward");
  text += fmt::format("{:{}}  {:11}{}{}\n", "", width, "pre-scale", columns, columns);
  for (const OpFigures& op : f.ops) {
    text += fmt::format("{:{}}  {:11}", op.name, width, op.pre_scale);
    for (const Transfer& t : {op.forward, op.backward}) {
      text += fmt::format("{:8.2f}{:8}{:8.2f}{}{:7.2f}", t.seconds * 1e3, t.passes, t.floor() * 1e3,
                          t.computing > t.moving ? 'a' : ' ', t.over_floor());
    }
    text += "\n";
  }
  return text;
}

std::string as_json(const OpsFigures& f) {
  const auto object = [](const Transfer& t) {
    JsonNode node = JsonNode::object();
    node.add("milliseconds", JsonNode::of(t.seconds * 1e3));
    node.add("passes", JsonNode::of(static_cast<std::int64_t>(t.passes)));
    node.add("bytes", JsonNode::of(t.bytes));
    node.add("instructions", JsonNode::of(static_cast<std::int64_t>(t.instructions)));
    node.add("gigabytes_per_second", JsonNode::of(t.bytes_per_second / 1e9));
    node.add("floor_milliseconds", JsonNode::of(t.floor() * 1e3));
    node.add("over_floor", JsonNode::of(t.over_floor()));
    return node;
  };
  std::string lines;
  for (const OpFigures& op : f.ops) {
    JsonNode out = JsonNode::object();
    out.add(op.pre_scale.empty() ? "op" : "norm", JsonNode::of(op.name));
    if (!op.pre_scale.empty()) out.add("pre_scale", JsonNode::of(op.pre_scale));
    out.add("rows", JsonNode::of(f.rows));
    out.add("features", JsonNode::of(f.features));
    out.add("rounds", JsonNode::of(static_cast<std::int64_t>(f.rounds)));
    out.add("forward", object(op.forward));
    out.add("backward", object(op.backward));
    out.add("copy_gigabytes_per_second", JsonNode::of(f.copy.bytes_per_second / 1e9));
    out.add("peak_gflops", JsonNode::of(f.peak / 1e9));
    add_environment(out);
    lines += to_line(out) + "\n";
  }
  return lines;
}

}  // namespace normlab

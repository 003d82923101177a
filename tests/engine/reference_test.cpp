// Every op, forward and backward, against values from PyTorch.
#include "tests/support/reference.h"

#include <functional>
#include <map>

#include "engine/ops/attention.h"
#include "engine/ops/batch_norm.h"
#include "engine/ops/dynamic_tanh.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/embedding.h"
#include "engine/ops/layer_norm.h"
#include "engine/ops/loss.h"
#include "engine/ops/product.h"
#include "engine/ops/reduce.h"
#include "engine/ops/rms_norm.h"
#include "engine/ops/scale_norm.h"
#include "engine/ops/sequences.h"
#include "engine/ops/softmax.h"
#include "engine/tape.h"
#include "tests/support/catch.h"

using namespace normlab;

namespace {

Tensor run_attention(ReferenceCase& r) {
  AttentionOptions options;
  options.heads = static_cast<Index>(r.setting("heads"));
  options.causal = r.setting("causal") != 0;
  return attention(r.input("query"), r.input("key"), r.input("value"), r.rows("query_lengths"), r.rows("key_lengths"),
                   options);
}

Tensor run_cross_entropy(ReferenceCase& r) {
  const CrossEntropy result = cross_entropy(r.input("logits"), r.constant("targets"), r.rows("lengths", "counted"),
                                            r.setting("label_smoothing"), r.setting("divisor"));
  CHECK(result.nll == Approx(r.setting("nll")).epsilon(r.tolerance()));
  CHECK(result.smoothed == Approx(r.setting("smoothed")).epsilon(r.tolerance()));
  CHECK(result.tokens == static_cast<Index>(r.setting("tokens")));
  return result.loss;
}

Index groups_of(ReferenceCase& r) { return static_cast<Index>(r.setting("groups")); }

Tensor run_batch_norm(ReferenceCase& r) {
  const Tensor x = r.input("x");
  const auto [y, seen] =
      batch_norm(x, r.input("weight"), r.input("bias"), Rows::single(x.rows()), 0, r.setting("epsilon"));
  // What the batch showed, folded in as PyTorch does it: its running variance divides by one token less.
  const double momentum = r.setting("momentum"), tokens = static_cast<double>(x.rows());
  const auto moved = [&](const char* start, const Tensor& batch, double factor) {
    Tensor running = r.constant(start);
    for (Index j = 0; j < running.size(); ++j) {
      running.set(j, (1 - momentum) * running.at(j) + momentum * factor * batch.at(j));
    }
    return running;
  };
  r.compare("running_mean", moved("start_mean", seen->mean, 1));
  r.compare("running_variance", moved("start_variance", seen->variance, tokens / (tokens - 1)));
  return y;
}

Tensor run_power_norm_v(ReferenceCase& r) {
  const Tensor x = r.input("x");
  return power_norm_v(x, r.input("weight"), r.input("bias"), Rows::single(x.rows()), 0, r.setting("epsilon")).y;
}

using Run = std::function<Tensor(ReferenceCase&)>;

Run unary(std::function<Tensor(const Tensor&)> op) {
  return [op](ReferenceCase& r) { return op(r.input("x")); };
}

Run binary(Tensor (*op)(const Tensor&, const Tensor&), const char* first, const char* second) {
  return [=](ReferenceCase& r) { return op(r.input(first), r.input(second)); };
}

const std::map<std::string, Run> kOps = {
    {"add", binary(add, "a", "b")},
    {"add_bias", binary(add_bias, "x", "bias")},
    {"attention", run_attention},
    {"cross_entropy", run_cross_entropy},
    {"embedding", [](ReferenceCase& r) { return embedding(r.input("table"), r.constant("ids"), r.setting("factor")); }},
    {"gather_rows", [](ReferenceCase& r) { return gather_rows(r.input("x"), r.constant("rows")); }},
    {"gelu", unary(gelu)},
    {"layer_norm",
     [](ReferenceCase& r) {
       return layer_norm(r.input("x"), r.input("weight"), r.input("bias"), r.setting("epsilon"));
     }},
    {"linear", [](ReferenceCase& r) { return linear(r.input("x"), r.input("weight"), r.input("bias")); }},
    {"log_softmax", unary(log_softmax)},
    {"matmul",
     [](ReferenceCase& r) {
       return matmul(r.input("a"), r.input("b"), r.setting("transpose_a") != 0, r.setting("transpose_b") != 0);
     }},
    {"mean", unary(mean)},
    {"mean_of_sequences", [](ReferenceCase& r) { return mean_of_sequences(r.input("x"), r.rows("lengths")); }},
    {"mean_rows", unary(mean_rows)},
    {"multiply", binary(multiply, "a", "b")},
    {"prepend_row", [](ReferenceCase& r) { return prepend_row(r.input("x"), r.input("row"), r.rows("lengths")); }},
    {"relu", unary(relu)},
    {"scale", [](ReferenceCase& r) { return scale(r.input("x"), r.setting("factor")); }},
    {"softmax", unary(softmax)},
    {"subtract", binary(subtract, "a", "b")},
    {"sum", unary(sum)},
    {"sum_of_squares", unary(sum_of_squares)},
    {"sum_rows", unary(sum_rows)},
};

const std::map<std::string, Run> kNorms = {
    {"batch_norm", run_batch_norm},
    {"dynamic_tanh",
     [](ReferenceCase& r) { return dynamic_tanh(r.input("x"), r.input("alpha"), r.input("weight"), r.input("bias")); }},
    {"group_norm",
     [](ReferenceCase& r) {
       return group_norm(r.input("x"), r.input("weight"), r.input("bias"), groups_of(r), r.setting("epsilon"));
     }},
    {"power_norm_v", run_power_norm_v},
    {"rms_norm",
     [](ReferenceCase& r) { return rms_norm(r.input("x"), r.input("weight"), groups_of(r), r.setting("epsilon")); }},
    {"scale_norm", [](ReferenceCase& r) { return scale_norm(r.input("x"), r.input("g"), r.setting("epsilon")); }},
};

void compare_all(const std::string& file, const std::map<std::string, Run>& ops) {
  std::map<std::string, Run> missing = ops;
  for_each_reference(file, [&](const std::string& op, ReferenceCase& reference) {
    missing.erase(op);
    REQUIRE(ops.count(op) == 1);
    Tape tape;
    reference.compare_with_gradients(tape, ops.at(op)(reference));
  });
  CHECK(missing.empty());
}

}  // namespace

TEST_CASE("Every op agrees with PyTorch in value and gradients") { compare_all("ops", kOps); }

TEST_CASE("Every norm agrees with PyTorch in value and gradients") { compare_all("norms", kNorms); }

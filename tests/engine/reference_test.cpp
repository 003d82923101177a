// Every op, forward and backward, against values from PyTorch.
#include <functional>
#include <map>

#include "engine/ops/attention.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/embedding.h"
#include "engine/ops/layer_norm.h"
#include "engine/ops/loss.h"
#include "engine/ops/product.h"
#include "engine/ops/reduce.h"
#include "engine/ops/softmax.h"
#include "engine/tape.h"
#include "tests/support/catch.h"
#include "tests/support/reference.h"

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
  const CrossEntropy result =
      cross_entropy(r.input("logits"), r.constant("targets"), r.rows("lengths", "counted"),
                    r.setting("label_smoothing"), r.setting("divisor"));
  CHECK(result.nll == Approx(r.setting("nll")).epsilon(r.tolerance()));
  CHECK(result.smoothed == Approx(r.setting("smoothed")).epsilon(r.tolerance()));
  CHECK(result.tokens == static_cast<Index>(r.setting("tokens")));
  return result.loss;
}

using Run = std::function<Tensor(ReferenceCase&)>;

Run unary(Tensor (*op)(const Tensor&)) {
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
    {"mean_rows", unary(mean_rows)},
    {"multiply", binary(multiply, "a", "b")},
    {"relu", unary(relu)},
    {"scale", [](ReferenceCase& r) { return scale(r.input("x"), r.setting("factor")); }},
    {"softmax", unary(softmax)},
    {"subtract", binary(subtract, "a", "b")},
    {"sum", unary(sum)},
    {"sum_of_squares", unary(sum_of_squares)},
    {"sum_rows", unary(sum_rows)},
};

}  // namespace

TEST_CASE("Every op agrees with PyTorch in value and gradients") {
  std::map<std::string, Run> missing = kOps;
  for_each_reference("ops", [&](const std::string& op, ReferenceCase& reference) {
    missing.erase(op);
    REQUIRE(kOps.count(op) == 1);
    Tape tape;
    reference.compare_with_gradients(tape, kOps.at(op)(reference));
  });
  CHECK(missing.empty());
}

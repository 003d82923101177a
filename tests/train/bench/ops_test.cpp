// `bench` shows every op, norm and workload, with figures that belong together. No time is held against a bound here.
#include "train/bench/ops.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "engine/ops/product.h"
#include "engine/ops/reduce.h"
#include "nn/norm/norm.h"
#include "tests/support/catch.h"
#include "train/bench/measure.h"
#include "train/bench/products.h"
#include "train/bench/step.h"
#include "train/json_reader.h"

using namespace normlab;

namespace {

void check_transfer(const Transfer& t, double matrix_bytes) {
  CHECK(t.seconds > 0);
  CHECK(std::isfinite(t.seconds));
  CHECK(t.passes >= 1);
  CHECK(t.bytes == t.passes * matrix_bytes);
  CHECK(t.bytes_per_second == Approx(t.bytes / t.seconds));
  CHECK(t.moving > 0);
  CHECK((t.computing > 0) == (t.instructions > 0));
  CHECK(t.floor() == std::max(t.moving, t.computing));
  CHECK(t.over_floor() == Approx(t.seconds / t.floor()));
}

}  // namespace

TEST_CASE("bench ops: the ops, then every registered norm but none, then each pre-scale alone, with its passes",
          "[bench]") {
  const OpsFigures figures = measure_ops(48, 64, 3, /*norms_alone=*/false);
  CHECK(figures.rounds == 2);
  check_transfer(figures.copy, 48 * 64 * 4);
  CHECK(figures.copy.over_floor() == Approx(1));
  CHECK(figures.peak > 0);
  std::vector<std::pair<std::string, std::string>> shown, expected;
  for (const OpFigures& op : figures.ops) {
    INFO(op.name << " " << op.pre_scale);
    check_transfer(op.forward, 48 * 64 * 4);
    check_transfer(op.backward, 48 * 64 * 4);
    if (op.pre_scale.empty()) continue;
    shown.emplace_back(op.name, op.pre_scale);
    if (op.name == "none") continue;
    const auto passes = NormConfig(op.name).make(Init(), 64, 4)->passes();
    CHECK(op.forward.passes == passes.forward);
    CHECK(op.backward.passes == passes.backward);
  }
  for (const auto& entry : registered(static_cast<const NormOptions*>(nullptr))) {
    if (entry.kind != "none") expected.emplace_back(entry.kind, "none");
  }
  expected.emplace_back("none", "rms");
  expected.emplace_back("none", "grouped_rms");
  CHECK(shown == expected);
  CHECK(figures.ops.size() > shown.size());
  std::vector<std::string> computing;
  for (const OpFigures& op : figures.ops) {
    if (op.forward.instructions > 0) computing.push_back(op.name);
  }
  CHECK(computing == std::vector<std::string>{"gelu", "dropout", "softmax", "log_softmax", "cross_entropy"});
  CHECK(figures.ops.back().forward.passes == 2);  // no norm behind the pre-scale moves nothing
  CHECK(figures.ops.back().backward.passes == 3);
  CHECK(measure_ops(48, 64, 2, /*norms_alone=*/true).ops.size() == shown.size());
}

TEST_CASE("bench ops: the JSON has a line an op with the figures of the table", "[bench]") {
  const Transfer fast{0.001, 2, 2e6, 2e9, 0, 0.001, 0}, slow{0.04, 3, 3e6, 0.075e9, 12, 0.001, 0.0015};
  const OpsFigures figures{
      500,  1000, 20,
      1e11, fast, {{"layer", "none", fast, slow}, {"none", "rms", slow, slow}, {"relu", "", fast, fast}}};
  std::istringstream lines(as_json(figures));
  Problems problems("figures");
  std::string line;
  REQUIRE(std::getline(lines, line));
  const JsonNode first = parse_json(line, problems);
  CHECK(find_path(first, "norm")->string == "layer");
  CHECK(find_path(first, "pre_scale")->string == "none");
  CHECK(find_path(first, "rows")->integer == 500);
  CHECK(find_path(first, "features")->integer == 1000);
  CHECK(find_path(first, "backward.milliseconds")->real == Approx(40));
  CHECK(find_path(first, "backward.passes")->integer == 3);
  CHECK(find_path(first, "backward.bytes")->real == Approx(3e6));
  CHECK(find_path(first, "backward.gigabytes_per_second")->real == Approx(0.075));
  CHECK(find_path(first, "backward.floor_milliseconds")->real == Approx(1.5));
  CHECK(find_path(first, "backward.over_floor")->real == Approx(26.6667));
  CHECK(find_path(first, "backward.instructions")->integer == 12);
  CHECK(find_path(first, "copy_gigabytes_per_second")->real == Approx(2));
  CHECK(find_path(first, "processor") != nullptr);
  REQUIRE(std::getline(lines, line));
  CHECK(find_path(parse_json(line, problems), "norm")->string == "none");
  REQUIRE(std::getline(lines, line));
  const JsonNode last = parse_json(line, problems);
  CHECK(find_path(last, "op")->string == "relu");
  CHECK(find_path(last, "pre_scale") == nullptr);
  CHECK_FALSE(std::getline(lines, line));

  std::istringstream table(as_text(figures));
  std::size_t rows = 0, width = 0;
  while (std::getline(table, line)) {
    CHECK(line.size() <= 100);
    if (line.rfind("layer", 0) != 0 && line.rfind("none", 0) != 0 && line.rfind("relu", 0) != 0) continue;
    CHECK((rows++ == 0 || line.size() == width));  // aligned
    width = line.size();
  }
  CHECK(rows == 3);
}

namespace {

// A workload of one linear map, which a test can afford.
class SmallWorkload final : public Workload, public Module {
 public:
  SmallWorkload() : Module(Init()), weight_(parameter("weight", {3, 5}, constant(1))) {}
  Module& model() override { return *this; }
  Tensor loss(std::size_t index, const Pass&) override {
    ++times.at(index);
    return mean(linear(Tensor::full({4, 5}, Dtype::f32, 1), weight_));
  }
  std::size_t batches() const override { return times.size(); }
  double tokens() const override { return 8; }
  double operations() const override { return 100; }
  static inline std::vector<int> times = std::vector<int>(2);

 private:
  const Tensor weight_;
};

}  // namespace

TEST_CASE("bench step: every batch as often as the others, figures of a step, and the time of each op", "[bench]") {
  const NamedWorkload named{"small", "one map", [](const StackConfig::Recompute&) -> std::unique_ptr<Workload> {
                              return std::make_unique<SmallWorkload>();
                            }};
  const StepFigures figures = measure_step(named, 8);
  CHECK(figures.rounds == 3);                                 // four rounds of two steps, the first not counted
  CHECK(SmallWorkload::times == std::vector<int>(2, 4 + 2));  // and two that are looked at op by op
  CHECK(figures.tokens == 4);
  CHECK(figures.operations == 50);
  CHECK(figures.seconds > 0);
  CHECK(figures.fresh_blocks == 0);
  CHECK(figures.state_bytes == 4 * 15 * 4 + 8);  // parameters, gradients and two moments; the number of steps
  const auto share = [&](const std::string& name) {
    return *std::find_if(figures.ops.begin(), figures.ops.end(), [&](const OpShare& s) { return s.op == name; });
  };
  for (const std::string op : {"linear", "mean"}) {
    CHECK(share(op).calls == 1);
    CHECK(share(op).forward > 0);
    CHECK(share(op).backward > 0);
  }
  CHECK(share("(adam)").forward > 0);
  Problems problems("figures");
  const JsonNode json = parse_json(as_json(figures), problems);
  CHECK(find_path(json, "workload")->string == "small");
  CHECK(find_path(json, "tokens_per_second")->real == Approx(4 / figures.seconds));
  CHECK(find_path(json, "ops")->items.size() == figures.ops.size());
  CHECK_THAT(as_text(figures), ContainsSubstring("step small: one map") && ContainsSubstring("linear"));
  REQUIRE_THROWS_WITH(measure_step(named, 1), ContainsSubstring("at least 2 steps, got 1"));
}

TEST_CASE("bench step: the useful operations of lm and nmt, counted by hand", "[bench]") {
  const auto operations = [](const char* name) {
    for (const NamedWorkload& w : workloads()) {
      if (w.name == name) return w.make({})->operations();
    }
    return 0.0;
  };
  // Tokens times maps, then attention (queries times keys times width, twice), then logits; six operations each.
  const double lm =
      2048.0 * 4 * (4 * 256 * 256 + 2 * 256 * 1024) + 4 * 2 * 256.0 * 16 * 128 * 129 / 2 + 2048.0 * 256 * 10'000;
  CHECK(operations("lm") == Approx(6 * lm).epsilon(1e-12));
  const double layer = 4.0 * 512 * 512 + 2 * 512 * 1024;
  const double nmt = 2048 * 6 * layer + 2048 * 6 * (layer + 4.0 * 512 * 512) +
                     6 * 2 * 512.0 * 64 * 32 * (32 + 33 / 2.0 + 32) + 2048.0 * 512 * 10'000;
  CHECK(operations("nmt") == Approx(6 * nmt).epsilon(1e-12));
}

TEST_CASE("bench products: each product with each library", "[bench]") {
  const ProductsFigures figures{
      2, 1e11, {"oneDNN 2.6.3", "Eigen 3.4.0"}, {{"lm up, y", 2048, 1024, 256, false, true, {0.01, 0.02}}}};
  CHECK_THAT(as_text(figures),
             ContainsSubstring("lm up, y") && ContainsSubstring("107 %") && ContainsSubstring(" 54 %"));
  Problems problems("figures");
  const JsonNode json = parse_json(as_json(figures), problems);
  CHECK(find_path(json, "product")->string == "lm up, y");
  CHECK(find_path(json, "gflops")->items.at(1).real == Approx(53.687));
}

TEST_CASE("bench norms: features that a norm cannot do with are refused by name", "[bench]") {
  CHECK_THROWS_WITH(measure_ops(8, 18, 2, /*norms_alone=*/true),
                    ContainsSubstring("bench norms: ") && ContainsSubstring("18 features"));
}

TEST_CASE("The median is the middle value", "[bench]") {
  CHECK(median({3}) == 3);
  CHECK(median({5, 1, 3}) == 3);
  CHECK(median({4, 1, 3, 2}) == 3);
  CHECK_THROWS_WITH(median({}), ContainsSubstring("got none"));
}

// The registry of names: order, duplicates, buffers and commit, models counted but not built, errors with their path.
#include "nn/module.h"

#include "engine/ops/elementwise.h"
#include "nn/linear.h"
#include "tests/nn/support.h"

using namespace normlab;

namespace {

// Counts what it is given: a module with a buffer, its pending value, and children.
class Counter : public Module {
 public:
  explicit Counter(const Init& init)
      : Module(init), weight_(parameter("weight", {3}, constant(2))), count_(buffer("count", {1}, 0)) {}
  Tensor forward(const Tensor& x) {
    pending_ = static_cast<double>(x.rows());
    return output([&] { return add_bias(x, weight_); });
  }

 private:
  void commit_own() override {
    count_.set(0, count_.at(0) + pending_);
    pending_ = 0;
  }
  Tensor weight_, count_;
  double pending_ = 0;
};

class Pair : public Module {
 public:
  explicit Pair(const Init& init)
      : Module(init), first(child<Counter>("first")), second(child<Linear>("second", 3, 2)) {}
  Counter& first;
  Linear& second;
};

class Twice : public Module {
 public:
  explicit Twice(const Init& init) : Module(init) {
    parameter("weight", {1}, constant(0));
    buffer("weight", {1}, 0);
  }
};

// A child without a name brings its names into its parent.
class Nameless : public Module {
 public:
  Nameless(const Init& init, const std::string& own) : Module(init) {
    parameter(own, {1}, constant(0));
    child<Counter>("");
  }
};

}  // namespace

TEST_CASE("parameters, buffers and modules are listed by path in registration order") {
  const Pair pair(init_f64("a.b"));
  CHECK(paths_of(pair.parameters()) ==
        std::vector<std::string>{"a.b.first.weight", "a.b.second.weight", "a.b.second.bias"});
  CHECK(paths_of(pair.buffers()) == std::vector<std::string>{"a.b.first.count"});
  CHECK(pair.parameter_count() == 3 + 6 + 2);
  std::vector<std::string> paths;
  for (const Module* module : pair.modules()) paths.push_back(module->path());
  CHECK(paths == std::vector<std::string>{"a.b", "a.b.first", "a.b.second"});
  for (const Named& parameter : pair.parameters()) {
    CHECK(parameter.tensor.is_leaf());
    CHECK(parameter.tensor.shape() == parameter.shape);
  }
  CHECK_FALSE(pair.buffers()[0].tensor.is_leaf());
}

TEST_CASE("a name used twice is an error") {
  CHECK_THROWS_WITH(Twice(init_f64("a")), "module: a name must be used once, got \"a.weight\" twice");
}

TEST_CASE("a child without a name stands at its parent's path") {
  const Nameless parent(init_f64("a"), "other");
  CHECK(paths_of(parent.parameters()) == std::vector<std::string>{"a.other", "a.weight"});
  CHECK_THROWS_WITH(Nameless(init_f64("a"), "weight"), ContainsSubstring("got \"a.weight\" twice"));
}

TEST_CASE("statistics reach the buffers on commit, not before") {
  Pair pair(init_f64());
  const Tensor count = pair.buffers()[0].tensor;
  pair.first.forward(random_tensor({5, 3}, "x"));
  CHECK(count.at(0) == 0);
  pair.commit();
  CHECK(count.at(0) == 5);
  pair.commit();
  CHECK(count.at(0) == 5);
}

TEST_CASE("without allocation only names and shapes are registered") {
  Init shapes = init_f64();
  shapes.allocate = false;
  const Pair counted(shapes);
  const Pair built(init_f64());
  CHECK(counted.parameter_count() == built.parameter_count());
  CHECK(paths_of(counted.parameters()) == paths_of(built.parameters()));
  for (const Named& parameter : counted.parameters()) CHECK_FALSE(parameter.tensor.defined());
  for (const Named& buffer : counted.buffers()) CHECK_FALSE(buffer.tensor.defined());
}

TEST_CASE("an error gets the path of the innermost module in front, once") {
  const LanguageModel model(init_f64(), small_config(Placement::pre), 11, 5);
  const Tensor ids = Tensor::from<std::int32_t>({2}, std::vector<std::int32_t>{3, 11});
  CHECK_THROWS_WITH(model.logits(ids, Rows::single(2), {}), Catch::StartsWith("embedding: embedding: "));
  CHECK_THROWS_WITH(model.logits(ids, Rows::single(3), {}),
                    "language model: inputs must hold the tokens of their rows, got [2] for 3 tokens");

  const TransformerLayer layer(init_f64("layers.3"), small_config(Placement::pre), true);
  const Tensor x = random_tensor({2, 7}, "x");
  CHECK_THROWS_WITH(layer.forward(x, Rows::single(2), {}), Catch::StartsWith("layers.3.attention_norm: layer_norm: "));
  StackConfig pre_scaled = small_config(Placement::pre);
  pre_scaled.norm.pre_scale = PreScale::grouped_rms;
  const TransformerLayer other(init_f64("layers.3"), pre_scaled, true);
  CHECK_THROWS_WITH(other.forward(x, Rows::single(2), {}), Catch::StartsWith("layers.3.attention_norm: rms_norm: "));
  const Linear linear(init_f64("layers.3.attention.query"), 4, 4);
  CHECK_THROWS_WITH(linear.forward(x), Catch::StartsWith("layers.3.attention.query: linear: "));
}

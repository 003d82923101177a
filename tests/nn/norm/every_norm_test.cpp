// What holds of every registered norm, whoever wrote it: a new one is tested here by its registration alone.
#include "engine/ops/elementwise.h"
#include "nn/norm/norm.h"
#include "tests/nn/support.h"

using namespace normlab;

namespace {

constexpr Index kFeatures = 16, kHeads = 2;  // so that a group of group norm has four features

Pass training_pass(std::uint32_t micro_batch = 0) {
  return {.training = true, .seed = 1, .step = 1, .micro_batch = micro_batch};
}

// Each kind with each pre-scale.
void for_each_norm(const std::function<void(const NormConfig&)>& test) {
  for (const auto& entry : registered(static_cast<const NormOptions*>(nullptr))) {
    for (const PreScale pre_scale : {PreScale::none, PreScale::rms, PreScale::grouped_rms}) {
      NormConfig config(entry.kind);
      config.pre_scale = pre_scale;
      INFO(entry.kind << " with pre-scale " << static_cast<int>(pre_scale));
      test(config);
    }
  }
}

std::unique_ptr<Norm> made(const NormConfig& config, Dtype dtype = Dtype::f64) {
  Init init = init_f64("norm");
  init.dtype = dtype;
  auto norm = config.make(init, kFeatures, kHeads);
  shake(*norm);
  return norm;
}

// Three rounds of training, so that running statistics are not at their first values. Here and below forward is given
// scale(x, 1), since a norm may return the very tensor it is given, and backward wants one made by an op.
void train(Norm& norm, const Rows& rows) {
  for (int round = 0; round < 3; ++round) {
    Tensor x = random_tensor({rows.tokens(), kFeatures}, text("round ", round),
                             norm.parameters().empty() ? Dtype::f64 : norm.parameters()[0].tensor.dtype());
    x.require_gradient();
    Tape tape;
    const Tensor y = norm.forward(scale(x, 1), rows, training_pass());
    tape.backward(y, random_tensor(y.shape(), "dy", y.dtype()));
    norm.commit();
  }
}

std::vector<Tensor> copies(const std::vector<Named>& tensors) {
  std::vector<Tensor> result;
  for (const Named& named : tensors) result.push_back(named.tensor.clone());
  return result;
}

GradcheckResult check(Norm& norm, const Tensor& x, const Rows& rows, const Pass& pass, double step = 1e-5) {
  std::vector<Tensor> inputs = {x};
  for (const Named& parameter : norm.parameters()) inputs.push_back(parameter.tensor);
  return gradcheck([&](const std::vector<Tensor>& in) { return norm.forward(scale(in[0], 1), rows, pass); }, inputs,
                   {.step = step});
}

}  // namespace

TEST_CASE("every norm: an exact gradient agrees with finite differences in training, a surrogate does not") {
  for_each_norm([](const NormConfig& config) {
    const auto norm = made(config);
    const Rows rows({0, 4, 5, 9}, {1, 1, 1, 0, 1, 1, 0, 1, 1});
    train(*norm, rows);
    const GradcheckResult result = check(*norm, random_tensor({9, kFeatures}, "x"), rows, training_pass());
    INFO(result.report);
    CHECK(result.passed == norm->exact_gradient());
    CHECK(result.checked > 0);
    if (!norm->exact_gradient()) CHECK(result.worst > 1e3);
    NormConfig stand_in = config;
    CHECK((stand_in.make_exact().empty() == norm->exact_gradient()));
    CHECK(made(stand_in)->exact_gradient());
  });
}

TEST_CASE("every norm: gradients in evaluation, by running statistics and by the batch's own") {
  for_each_norm([](const NormConfig& config) {
    const auto norm = made(config);
    const Rows rows = Rows::of_lengths({4, 1, 4});
    train(*norm, rows);
    for (const bool batch_statistics : {false, true}) {
      const Pass pass{.batch_statistics = batch_statistics};
      const GradcheckResult result = check(*norm, random_tensor({9, kFeatures}, "x"), rows, pass);
      INFO(result.report);
      CHECK(result.passed);
    }
  });
}

TEST_CASE("every norm: gradients of one token and of two, and of features that are constant") {
  for_each_norm([](const NormConfig& config) {
    const auto norm = made(config);
    if (!norm->exact_gradient()) return;
    for (const Index tokens : {1, 2, 5}) {
      Tensor x = random_tensor({tokens, kFeatures}, "x");
      for (Index i = 0; i < tokens; ++i) x.set(i * kFeatures + 3, 0.7);
      // Where all tokens agree in a feature, batch norm bends so sharply that a step of 1e-5 is too long.
      const GradcheckResult result = check(*norm, x, Rows::single(tokens), training_pass(), 1e-6);
      INFO(tokens << " tokens\n" << result.report);
      CHECK(result.passed);
    }
  });
}

TEST_CASE("every norm: buffers move at commit alone, and an evaluation between leaves no trace") {
  for_each_norm([](const NormConfig& config) {
    const auto norm = made(config), other = made(config);
    const Rows rows = Rows::of_lengths({3, 5});
    train(*norm, rows);
    train(*other, rows);
    const auto before = copies(norm->buffers());
    Tensor x = random_tensor({8, kFeatures}, "x"), same_x = x.clone();
    x.require_gradient();
    same_x.require_gradient();
    {
      Tape tape;
      const Tensor y = norm->forward(scale(x, 1), rows, training_pass());
      norm->forward(random_tensor({8, kFeatures}, "other"), rows, {});
      norm->forward(random_tensor({8, kFeatures}, "other"), rows, {.batch_statistics = true});
      tape.backward(y, x);
    }
    const auto pending = norm->buffers();
    for (std::size_t i = 0; i < before.size(); ++i) CHECK(same_bits(before[i], pending[i].tensor));
    {
      Tape tape;
      tape.backward(other->forward(scale(same_x, 1), rows, training_pass()), same_x);
    }
    CHECK(same_bits(x.gradient(), same_x.gradient()));
    norm->commit();
    other->commit();
    bool moved = false;
    for (std::size_t i = 0; i < before.size(); ++i) {
      CHECK(same_bits(norm->buffers()[i].tensor, other->buffers()[i].tensor));
      moved = moved || !same_bits(before[i], norm->buffers()[i].tensor);
    }
    CHECK(moved == !before.empty());
    const auto committed = copies(norm->buffers());
    norm->commit();  // nothing is pending any more
    for (std::size_t i = 0; i < before.size(); ++i) CHECK(same_bits(committed[i], norm->buffers()[i].tensor));
  });
}

TEST_CASE("every norm: several micro-batches committed at once move the buffers as one after the other") {
  for_each_norm([](const NormConfig& config) {
    const auto at_once = made(config), in_turn = made(config);
    const Rows rows = Rows::single(6);
    std::vector<Tensor> after_one;
    for (std::uint32_t micro = 0; micro < 2; ++micro) {
      for (Norm* norm : {at_once.get(), in_turn.get()}) {
        Tensor x = random_tensor({6, kFeatures}, text("x", micro)).require_gradient();
        Tape tape;
        const Tensor y = norm->forward(scale(x, 1), rows, training_pass(micro));
        tape.backward(y, random_tensor(y.shape(), "dy"));
      }
      in_turn->commit();
      if (micro == 0) after_one = copies(in_turn->buffers());
    }
    at_once->commit();
    for (std::size_t i = 0; i < after_one.size(); ++i) {
      const Tensor once = at_once->buffers()[i].tensor, turn = in_turn->buffers()[i].tensor;
      CHECK_FALSE(same_bits(once, after_one[i]));
      // nu alone depends on what forward divided by, which a commit between the two changes.
      const bool is_nu = at_once->buffers()[i].path == "norm.nu";
      CHECK(same_bits(once, turn) == !is_nu);
    }
  });
}

TEST_CASE("every norm: where it calls itself affine, evaluation is that scale and shift") {
  for_each_norm([](const NormConfig& config) {
    const auto norm = made(config);
    const Rows rows = Rows::single(7);
    train(*norm, rows);
    const auto affine = norm->affine();
    if (!affine) return;
    CHECK(config.pre_scale == PreScale::none);
    const Tensor x = random_tensor({7, kFeatures}, "x"), y = norm->forward(x, rows, {});
    for (Index i = 0; i < x.size(); ++i) {
      const Index j = i % kFeatures;
      CHECK(y.at(i) == Approx(x.at(i) * affine->scale.at(j) + affine->shift.at(j)).epsilon(1e-12).margin(1e-12));
    }
  });
}

TEST_CASE("every norm: f32 keeps up with f64, and any number of threads gives the same bits") {
  for_each_norm([](const NormConfig& config) {
    const Rows rows = Rows::equal(40, 100);
    const auto result_of = [&](Dtype dtype) {
      const auto norm = made(config, dtype);
      Tensor x = random_tensor({4000, kFeatures}, "x", Dtype::f32).cast(dtype).require_gradient();
      Tape tape;
      const Tensor y = norm->forward(scale(x, 1), rows, training_pass());
      tape.backward(y, random_tensor(y.shape(), "dy", Dtype::f32).cast(dtype));
      return std::pair{y.cast(Dtype::f64), x.gradient().cast(Dtype::f64)};
    };
    const auto exact = result_of(Dtype::f64);
    const int before = threads();
    set_threads(1);
    const auto one = result_of(Dtype::f32);
    CHECK(largest_difference(exact.first, one.first) < 1e-4);
    CHECK(largest_difference(exact.second, one.second) < 1e-3);
    for (const int count : {2, 4}) {
      set_threads(count);
      const auto more = result_of(Dtype::f32);
      CHECK(same_bits(one.first, more.first));
      CHECK(same_bits(one.second, more.second));
    }
    set_threads(before);
  });
}

TEST_CASE("every norm: a model built without numbers knows its shapes") {
  for_each_norm([](const NormConfig& config) {
    Init init = init_f64("norm");
    init.allocate = false;
    CHECK(config.make(init, kFeatures, kHeads)->parameter_count() == made(config)->parameter_count());
  });
}

TEST_CASE("every norm: its measures are finite numbers with names of their own") {
  for_each_norm([](const NormConfig& config) {
    const auto norm = made(config);
    const Rows rows = Rows::single(12);
    train(*norm, rows);
    Tensor x = random_tensor({12, kFeatures}, "x").require_gradient();
    Tape tape;
    const Tensor y = norm->forward(scale(x, 1), rows, training_pass());
    tape.backward(y, random_tensor(y.shape(), "dy"));
    std::vector<std::string> names;
    for (const Module* module : norm->modules()) {
      for (const Norm::Measure& measure : dynamic_cast<const Norm&>(*module).measures()) {
        CHECK(std::isfinite(measure.value));
        CHECK(std::find(names.begin(), names.end(), measure.quantity) == names.end());
        names.push_back(measure.quantity);
      }
    }
    CHECK(names.empty() == norm->buffers().empty());
  });
}

TEST_CASE("every norm: its output is made again to the bit, so that a product need not keep it") {
  int remade = 0;
  for (const Dtype dtype : {Dtype::f32, Dtype::f64}) {
    for_each_norm([&](const NormConfig& config) {
      const auto norm = made(config, dtype);
      const Rows rows({0, 4, 5, 9}, {1, 1, 1, 0, 1, 1, 0, 1, 1});
      train(*norm, rows);
      const Tensor x = random_tensor({9, kFeatures}, "x", dtype).require_gradient();
      Tape tape;
      const Tensor y = norm->forward(scale(x, 1), rows, training_pass());
      const Tensor again = Kept(y).get();
      CHECK(same_bits(again, y));
      remade += again.raw() != y.raw();
    });
  }
  CHECK(remade >= 2 * (8 * 3 + 2));  // the eight kinds that are there, and `none` behind a pre-scale
}

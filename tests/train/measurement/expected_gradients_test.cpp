// Expected gradients: noise removed, and the same as a gradient of everything at once.
#include "train/measurement/expected_gradients.h"

#include <cmath>

#include "measuring.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"
#include "train/experiment/statistics.h"

using namespace normlab;

namespace {

const char* const kGradients = R"({
  "experiment": {"kind": "expected_gradients", "groups": 4, "most_batches": 8, "interval": 0},
  "dtype": "f64",
  "model": {"layers": 2, "width": 16, "heads": 2, "feed_forward": 32, "dropout": 0},
  "data": {"kind": "synthetic", "train_tokens": 3000, "valid_tokens": 700, "test_tokens": 0, "clauses": 1, "phrases": 4,
           "batching": {"kind": "sentences", "tokens_per_batch": 256}}
})";
const std::string kOuter = "layers.1.feed_forward.outer.weight";

// Sums over `tokens` tokens of a gradient with mean 1 / sqrt(d) in each of d elements, so of norm 1, and noise.
GroupedGradient made_up(int trial, std::size_t groups, double noise) {
  constexpr Index d = 400;
  GroupedGradient gradient(groups);
  for (std::size_t group = 0; group < groups; ++group) {
    for (int batch = 0; batch < 3; ++batch) {
      const double tokens = 10 + 5 * batch;
      const std::string name = text("gradient ", trial, " ", group, " ", batch);
      Tensor sum = gaussian({d}, name.c_str(), tokens / std::sqrt(d), noise * std::sqrt(tokens));
      gradient.add(group, sum, tokens);
      sum.fill(0);  // it was taken in, not looked at later
    }
  }
  return gradient;
}

}  // namespace

TEST_CASE("the noise of the average is removed, and the interval says what is left of it") {
  constexpr std::size_t groups = 8;
  constexpr double noise = 0.5;
  // Noise of the mean over 8 * 45 tokens: a vector of squared length 400 * 0.25 / 360.
  const double noise_square = 400 * noise * noise / 360;
  std::vector<double> squares, squares_of_mean;
  int covered = 0;
  constexpr int trials = 100;
  for (int trial = 0; trial < trials; ++trial) {
    const GroupedGradient::Norms norms = made_up(trial, groups, noise).norms();
    squares.push_back(norms.expected * norms.expected);
    squares_of_mean.push_back(norms.of_the_mean * norms.of_the_mean);
    covered += std::abs(norms.expected - 1) <= norms.half_width;
  }
  const Interval removed = mean_interval(squares, 0.999), kept = mean_interval(squares_of_mean, 0.999);
  CHECK(std::abs(removed.mean - 1) < removed.half_width);
  CHECK(removed.half_width < 0.03);
  CHECK(std::abs(kept.mean - 1 - noise_square) < kept.half_width);
  CHECK(covered >= 87);  // of 100 intervals of 95 %
  CHECK(covered <= 100);
}

TEST_CASE("without noise the expected gradient is the gradient; two groups have no interval") {
  const GroupedGradient::Norms norms = made_up(0, 2, 0).norms();
  CHECK(norms.expected == Approx(1));
  CHECK(norms.of_the_mean == Approx(1));
  CHECK(std::isinf(norms.half_width));
  CHECK(made_up(0, 3, 0).norms().half_width == Approx(0).margin(1e-9));
}

TEST_CASE("the average is that of all tokens at once, without dropout") {
  const Config config = config_of(kGradients);
  const auto data = load_data(config, ".");
  Init init;
  init.dtype = config.dtype;
  const auto task = config.model->make(init, *data);
  double tokens = 0;
  for (std::uint64_t i = 0; i < 8; ++i) tokens += static_cast<double>(task->training_batch(i)->predicted());
  for (std::uint64_t i = 0; i < 8; ++i) {
    Tape tape;
    tape.backward(task->training_batch(i)->loss({}, 0.1, tokens).loss);
  }
  const auto found = measured(kGradients, {"experiment.label_smoothing=0.1", "model.dropout=0.3"});
  CHECK(found.value("tokens") == tokens);
  CHECK(found.value("batches") == 8);
  for (const Named& parameter : task->model().parameters()) {
    if (parameter.path != kOuter) continue;
    double squares = 0;
    for (const double g : parameter.tensor.gradient().values<double>()) squares += g * g;
    CHECK(found.value("mean_gradient_norm", kOuter) == Approx(std::sqrt(squares)).epsilon(1e-10));
  }
  CHECK(found.value("expected_gradient_norm", kOuter) < found.value("mean_gradient_norm", kOuter));
  CHECK(found.at("expected_gradient_norm", kOuter).number("level") == 0.95);
}

TEST_CASE("hidden states grow by `hidden_growth` in each layer") {
  const Found lm = measured(kGradients);
  const double input = lm.value("hidden", "input"), last = lm.value("hidden", "layers.1.out");
  CHECK(lm.value("hidden_growth", "") == Approx((last - input) / 2));
  CHECK(lm.value("hidden_inverse_rms", "layers.1.out") == Approx(1 / std::sqrt(last)));
  const Found post = measured(kGradients, {"model.placement=post", "model.final_norm=false"});
  CHECK(post.value("hidden", "layers.0.out") == Approx(1).epsilon(1e-4));

  const Found translation = measured(R"({
    "experiment": {"kind": "expected_gradients", "groups": 3, "most_batches": 3},
    "model": {"kind": "translation",
              "encoder": {"layers": 1, "width": 16, "heads": 2, "feed_forward": 32},
              "decoder": {"layers": 2, "width": 16, "heads": 2, "feed_forward": 32}},
    "data": {"kind": "synthetic_translation", "train_pairs": 300, "valid_pairs": 5, "test_pairs": 0,
             "tokens_per_batch": 256}})");
  CHECK(translation.value("expected_gradient_norm", "decoder.layers.1.feed_forward.inner.weight") > 0);
  const double decoder = translation.value("hidden", "decoder.layers.1.out");
  CHECK(translation.value("hidden_growth", "decoder") ==
        Approx((decoder - translation.value("hidden", "decoder.input")) / 2));
  CHECK(translation.value("hidden", "encoder.layers.0.out") > 0);
}

TEST_CASE("batches are taken until the interval is narrow enough") {
  CHECK(measured(kGradients, {"experiment.interval=1"}).value("batches") == 4);
  CHECK(measured(kGradients, {"experiment.interval=0"}).value("batches") == 8);
}

TEST_CASE("what expected gradients cannot be taken of is said") {
  CHECK_THROWS_WITH(measured(kGradients, {"experiment.sites=[\"nothing.*\"]"}),
                    ContainsSubstring("sites must match a parameter") && ContainsSubstring("embedding.weight"));
  CHECK_THROWS_WITH(measured(kGradients, {"experiment.most_batches=1000"}),
                    ContainsSubstring("most_batches must be at most the") && ContainsSubstring("got 1000"));
  CHECK_THROWS_WITH(config_of(kGradients, {"experiment.most_batches=3"}),
                    ContainsSubstring("one for each of the 4 groups, got 3"));
}

// Hidden states at initialization against their closed forms.
#include <algorithm>
#include <cmath>

#include "measuring.h"
#include "tests/support/catch.h"

using namespace normlab;

namespace {

const char* const kMoments = R"({"experiment": {"kind": "hidden_moments", "width": 16, "feed_forward": 32,
    "layers": 3, "length": 8, "draws": 300}, "dtype": "f64"})";

}  // namespace

TEST_CASE("the feed-forward network adds 2r / (1 + r)^2, in Post-LN to 1") {
  const std::string placement = GENERATE("pre", "post");
  const double r = GENERATE(0.5, 1.0, 2.0, 4.0);
  const Found found = measured(
      kMoments, {"experiment.placement=" + placement, text("experiment.feed_forward=", static_cast<int>(16 * r))});
  const double closed_form = 2 * r / (1 + r) / (1 + r);
  double deviation = 0;
  for (int layer = 0; layer < 3; ++layer) {
    INFO(placement << ", r " << r << ", layer " << layer);
    const std::string site = text("layers.", layer);
    CHECK(found.value("feed_forward_increment_expected", site) == Approx(closed_form));
    const MetricRecord& increment = found.at("feed_forward_increment", site);
    CHECK(increment.number("level") == 0.999);
    CHECK(increment.number("error") > 0);
    CHECK(increment.number("error") < 0.3 * closed_form);
    CHECK(std::abs(*increment.number("value") - closed_form) < *increment.number("error"));
    deviation = std::max(deviation, std::abs(*increment.number("value") - closed_form) / *increment.number("error"));
    if (placement == "post") {
      const MetricRecord& sum = found.at("feed_forward_sum", site);
      CHECK(found.value("feed_forward_sum_expected", site) == Approx(1 + closed_form));
      CHECK(std::abs(*sum.number("value") - 1 - closed_form) < *sum.number("error"));
      CHECK(found.value("hidden", site) == Approx(1).epsilon(1e-4));
      CHECK(found.value("hidden_expected", site) == 1);
    } else {
      CHECK_FALSE(found.has("feed_forward_sum"));
      CHECK(found.value("hidden_least", site) == Approx(1 + closed_form * (layer + 1)));
      CHECK(found.value("hidden_most", site) == Approx(1 + (closed_form + 1) * (layer + 1)));
      CHECK(found.value("hidden", site) > 0.9 * found.value("hidden_least", site));
      CHECK(found.value("hidden", site) < found.value("hidden_most", site));
    }
  }
  CHECK(found.value("increment_deviation") == Approx(deviation));
}

TEST_CASE("uniform attention adds the square of the tokens' mean") {
  // Of n independent tokens in the first layer: 1 / n. Of one token: all of it.
  for (const int length : {1, 8}) {
    const MetricRecord increment =
        measured(kMoments, {text("experiment.length=", length)}).at("attention_increment", "layers.0");
    CHECK(std::abs(*increment.number("value") - 1.0 / length) < *increment.number("error"));
  }
  // Queries of their own look at some tokens more than at others: that mean is longer.
  const Found looking = measured(kMoments, {"experiment.uniform_attention=false", "experiment.heads=2"});
  CHECK(looking.value("attention_increment", "layers.0") > 1.02 / 8);
}

TEST_CASE("hidden moments are the same twice, and others for another seed") {
  const auto value = [](const char* seed) { return measured(kMoments, {seed}).value("hidden", "layers.2"); };
  CHECK(value("seed=1") == value("seed=1"));
  CHECK(value("seed=1") != value("seed=2"));
}

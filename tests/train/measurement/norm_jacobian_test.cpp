// The spectral norm of a norm's Jacobian.
#include "train/measurement/norm_jacobian.h"

#include <cmath>

#include "measuring.h"
#include "nn/norm/layer.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"

using namespace normlab;

TEST_CASE("the Jacobian of LayerNorm is (I - 11'/d - nn'/d) / deviation") {
  constexpr Index d = 7;
  Init init;
  init.dtype = Dtype::f64;
  LayerNorm norm(init, d, /*epsilon=*/0);
  const Tensor x = gaussian({1, d}, "x", 2, 3);
  double mean = 0, variance = 0;
  for (const double v : x.values<double>()) mean += v / d;
  for (const double v : x.values<double>()) variance += (v - mean) * (v - mean) / d;
  Tensor expected = Tensor::empty({d, d}, Dtype::f64);
  for (Index i = 0; i < d; ++i) {
    for (Index j = 0; j < d; ++j) {
      const double normalized = (x.at(i) - mean) * (x.at(j) - mean) / variance;
      expected.set(i * d + j, ((i == j) - 1.0 / d - normalized / d) / std::sqrt(variance));
    }
  }
  CHECK(difference(jacobian(norm, x), expected) < 1e-13);
}

TEST_CASE("a spectral norm is that of the matrix, not of its diagonal or its symmetric part") {
  const RandomStream stream = random_stream(1, "start");
  CHECK(spectral_norm(Tensor::from<double>({2, 2}, std::vector<double>{0, 3, 0, 0}), stream) == Approx(3));
  // [[3, 0], [4, 5]] has the singular values 3 sqrt(5) and sqrt(5).
  CHECK(spectral_norm(Tensor::from<double>({2, 2}, std::vector<double>{3, 0, 4, 5}), stream) ==
        Approx(3 * std::sqrt(5.0)));
  CHECK(spectral_norm(Tensor::zeros({3, 3}, Dtype::f64), stream) == 0);
}

TEST_CASE("the measured norm is 1 / sqrt(variance + epsilon) at every scale") {
  for (const char* scale : {"0.01", "1", "100"}) {
    for (const char* epsilon : {"0", "0.1"}) {
      const Found found = measured(R"({"experiment": {"kind": "norm_jacobian", "features": 24, "inputs": 5}})",
                                   {std::string("experiment.scale=") + scale, "experiment.offset=3",
                                    std::string("experiment.norm.epsilon=") + epsilon});
      CHECK(found.value("relative_difference") < 1e-7);
      CHECK(found.value("spectral_norm") == Approx(found.value("spectral_norm_expected")).epsilon(1e-7));
      const double deviation = std::stod(scale);
      CHECK(found.value("spectral_norm") ==
            Approx(1 / std::sqrt(deviation * deviation + std::stod(epsilon))).epsilon(0.25));
    }
  }
}

TEST_CASE("another norm than LayerNorm has no closed form here") {
  const Found found = measured(R"({"experiment": {"kind": "norm_jacobian", "features": 24, "norm": {"kind": "rms"}}})");
  CHECK(found.value("spectral_norm") == Approx(1).epsilon(0.3));
  CHECK_FALSE(found.has("spectral_norm_expected"));
}

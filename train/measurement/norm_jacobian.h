// The spectral norm of a norm's Jacobian, beside its closed form.
#pragma once

#include "../../nn/norm/norm.h"
#include "../measurement.h"

namespace normlab {

// For inputs x ~ N(offset, scale^2) of one token each, at the norm's first values:
//
//   spectral_norm            ‖J‖_2, J = dy/dx: the largest factor by which the norm passes a gradient on. By power
//                            iteration on transpose(J) J, where J comes whole from one backward: the norm is given x
//                            as often as it has features, and row i of dx for dy = the unit matrix is row i of J
//   spectral_norm_expected   LayerNorm: 1 / sqrt(var(x) + epsilon), which is sqrt(d) / ‖x - mean(x)‖ at epsilon 0
//                            (Xiong et al. 2020, lemma 3, says: of the order of sqrt(d) / ‖x‖)
//   relative_difference      the largest |spectral_norm / spectral_norm_expected - 1| of all inputs
//
// The first two are means over inputs with their 99.9 % interval; the last two only of LayerNorm. Measured in f64,
// whatever the config's dtype.
struct NormJacobianOptions : MeasurementOptions {
  NormConfig norm{"layer"};
  std::int64_t features = 512;
  double scale = 1;
  double offset = 0;
  std::int64_t inputs = 8;

  void fields(Fields& f) override;
  bool of_model() const override { return false; }
  std::vector<Measurement> measure(const MeasuringContext& context) const override;
};

// The Jacobian J[features, features], dy_i / dx_j, of a norm that takes each token by itself, at x[1, features] in f64.
Tensor jacobian(Norm& norm, const Tensor& x);
// ‖J‖_2 of a matrix in f64, by power iteration from a random vector until it grows by less than a part in 1e13.
double spectral_norm(const Tensor& matrix, const RandomStream& stream);

}  // namespace normlab

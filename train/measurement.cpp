// The list of registered kinds of experiment.
#include "measurement.h"

#include "measurement/expected_gradients.h"
#include "measurement/hidden_moments.h"
#include "measurement/inference_time.h"
#include "measurement/norm_jacobian.h"

namespace normlab {
namespace {

struct TrainingOptions : MeasurementOptions {
  void fields(Fields&) override {}
  bool only_trains() const override { return true; }
  std::vector<Measurement> measure(const MeasuringContext&) const override { return {}; }
};

}  // namespace

const std::vector<Registered<MeasurementOptions>>& registered(const MeasurementOptions*) {
  static const std::vector<Registered<MeasurementOptions>> all = {
      kind<MeasurementOptions, TrainingOptions>("training", "a model is trained, and that is all"),
      kind<MeasurementOptions, ExpectedGradientsOptions>(
          "expected_gradients", "norms of weights' gradients, averaged over batches before the norm is taken"),
      kind<MeasurementOptions, HiddenMomentsOptions>(
          "hidden_moments", "mean squares of hidden states at initialization, beside their closed forms"),
      kind<MeasurementOptions, NormJacobianOptions>("norm_jacobian",
                                                    "the spectral norm of a norm's Jacobian, beside its closed form"),
      kind<MeasurementOptions, InferenceTimeOptions>(
          "inference_time", "time per token of a language model as it is, with its norms folded, and with other norms"),
  };
  return all;
}

}  // namespace normlab

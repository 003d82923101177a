// Hidden moments: mean squares of hidden states at initialization, by Monte Carlo, beside their closed forms.
#pragma once

#include "../../nn/transformer.h"
#include "../measurement.h"

namespace normlab {

// The setting of the theory of Xiong et al. 2020 (section 3.3, lemma 2): Gaussian inputs, Xavier's initial weights,
// zero biases, LayerNorm, and attention that looks at all tokens of a sequence alike, as query weights of zero make it.
// Each draw takes new weights and new inputs. With r = feed_forward / width, at layers.0, layers.1, … :
//
//   feed_forward_increment   mean square after the feed-forward network's residual sum less that before it.
//                            Its expectation is 2 r / (1 + r)^2: half of what Xavier's weights give a ReLU is lost
//   feed_forward_sum         Post-LN: mean square of that sum, before its norm: 1 + 2 r / (1 + r)^2
//   attention_increment      the same of attention: between 0 and 1, where it is the square of the tokens' mean
//   hidden                   mean square of the layer's output: Post-LN 1; Pre-LN, after l layers, between
//                            hidden_least = 1 + 2 r l / (1 + r)^2 and hidden_most = hidden_least + l
//
// and of the whole model increment_deviation, the largest |feed_forward_increment - its closed form| of all layers, in
// half-widths of its interval: at most 1 when the closed forms lie within.
//
// NAME_expected stands beside each NAME that has a closed form. `error` is the half-width of the 99.9 % interval over
// draws. The closed forms hold at every width; they leave out the norm's epsilon, 1e-5 beside a variance of 1 or more.
struct HiddenMomentsOptions : MeasurementOptions {
  Placement placement = Placement::pre;
  std::int64_t layers = 6;
  std::int64_t width = 64;
  std::int64_t feed_forward = 64;
  std::int64_t heads = 1;
  bool uniform_attention = true;
  std::int64_t sequences = 2;
  std::int64_t length = 16;
  std::int64_t draws = 100;

  void fields(Fields& f) override;
  bool of_model() const override { return false; }
  std::vector<Measurement> measure(const MeasuringContext& context) const override;
};

}  // namespace normlab

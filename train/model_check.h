// The gradient check of a whole model, on a shrunk copy in f64: what `normlab check` does.
#pragma once

#include "../engine/gradcheck.h"
#include "../nn/language_model.h"

namespace normlab {

// `config` with its width, layers and inner width cut down so that finite differences are cheap and exact: width at
// most 32, at most two layers. Kinds, placement, norms and dropout stay.
LanguageModelConfig shrunk(LanguageModelConfig config);

// Checks every parameter's gradient of the shrunk model's mean loss on 13 tokens in three sequences, at a few elements
// each.
GradcheckResult check_model(const LanguageModelConfig& config, double label_smoothing, std::uint64_t seed);

}  // namespace normlab

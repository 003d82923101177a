// The gradient check of a whole model, on a shrunk copy in f64: what `normlab check` does.
#pragma once

#include <string>

#include "../engine/gradcheck.h"
#include "../nn/language_model.h"
#include "../nn/translation_model.h"
#include "../nn/vision_transformer.h"

namespace normlab {

struct ModelCheck {
  GradcheckResult gradients;
  // A norm whose gradient is a surrogate is checked through its exact cousin: "power_v in place of power". Else empty.
  std::string stand_in;
};

// Check every parameter's gradient of a shrunk model's mean loss on 13 tokens in three sequences, or on three images
// of four patches, what norms add to it included, at a few elements each. Shrunk so that finite differences are cheap
// and exact: width at most 32 where the norms allow it, at most two layers; kinds, placement, norms and dropout stay.
ModelCheck check_model(const LanguageModelConfig& config, double label_smoothing, std::uint64_t seed);
ModelCheck check_model(const TranslationModelConfig& config, double label_smoothing, std::uint64_t seed);
ModelCheck check_model(const VisionTransformerConfig& config, double label_smoothing, std::uint64_t seed);

}  // namespace normlab

// Modules made and filled from a reference case, whose settings have the names of make_reference.py.
#pragma once

#include "nn/language_model.h"
#include "nn/norm/batch.h"
#include "nn/norm/layer.h"
#include "nn/translation_model.h"
#include "nn/vision_transformer.h"
#include "reference.h"

namespace normlab {

template <class Config = StackConfig>
Config stack_config(ReferenceCase& r) {
  Config config;
  config.width = static_cast<std::int64_t>(r.setting("width"));
  config.heads = static_cast<std::int64_t>(r.setting("heads"));
  config.feed_forward = static_cast<std::int64_t>(r.setting("feed_forward"));
  config.activation = r.setting("gelu") != 0 ? Activation::gelu : Activation::relu;
  config.dropout = 0;
  config.placement = r.setting("pre") != 0 ? Placement::pre : Placement::post;
  config.norm.set("layer");
  dynamic_cast<LayerNormOptions&>(*config.norm).epsilon = r.setting("epsilon");
  return config;
}

inline LanguageModelConfig language_model_config(ReferenceCase& r) {
  auto config = stack_config<LanguageModelConfig>(r);
  config.layers = static_cast<std::int64_t>(r.setting("layers"));
  config.final_norm = r.setting("final_norm") != 0;
  config.positions = r.setting("learned_positions") != 0 ? PositionKind::learned : PositionKind::sinusoidal;
  config.tie_output = r.setting("tie_output") != 0;
  config.embedding_scale = r.setting("embedding_scale") != 0;
  return config;
}

inline TranslationModelConfig translation_model_config(ReferenceCase& r) {
  TranslationModelConfig config;
  config.encoder = stack_config(r);
  config.encoder.layers = static_cast<std::int64_t>(r.setting("layers"));
  config.encoder.final_norm = r.setting("final_norm") != 0;
  config.decoder = config.encoder;
  config.positions = r.setting("learned_positions") != 0 ? PositionKind::learned : PositionKind::sinusoidal;
  config.embedding_scale = r.setting("embedding_scale") != 0;
  const bool share_all = r.setting("share_all") != 0, output_matrix = r.setting("output_matrix") != 0;
  config.share_embeddings = share_all       ? EmbeddingSharing::all
                            : output_matrix ? EmbeddingSharing::none
                                            : EmbeddingSharing::output;
  return config;
}

inline VisionTransformerConfig vision_transformer_config(ReferenceCase& r) {
  auto config = stack_config<VisionTransformerConfig>(r);
  config.layers = static_cast<std::int64_t>(r.setting("layers"));
  config.final_norm = r.setting("final_norm") != 0;
  config.positions = r.setting("learned_positions") != 0 ? PositionKind::learned : PositionKind::sinusoidal;
  config.pooling = r.setting("class_token") != 0 ? Pooling::class_token : Pooling::mean;
  if (r.setting("batch_norm") != 0) {
    config.norm.set("batch");
    dynamic_cast<BatchNormOptions&>(*config.norm).settings.epsilon = r.setting("epsilon");
    config.norm_at.inner.set("same");
  }
  return config;
}

inline void set_parameters(const Module& module, ReferenceCase& r) {
  for (Named parameter : module.parameters()) parameter.tensor.copy_from(r.constant("parameter/" + parameter.path));
}

inline void compare_gradients(const Module& module, ReferenceCase& r) {
  for (const Named& parameter : module.parameters()) {
    r.compare("gradient/" + parameter.path, parameter.tensor.gradient());
  }
}

}  // namespace normlab

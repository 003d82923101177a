// The list of registered kinds of model.
#include "task.h"

#include "task/classification.h"
#include "task/language_modelling.h"
#include "task/translation.h"

namespace normlab {

const std::vector<Registered<ModelOptions>>& registered(const ModelOptions*) {
  static const std::vector<Registered<ModelOptions>> all = {
      kind<ModelOptions, LanguageModelOptions>("language_model", "a causal Transformer that predicts the next token"),
      kind<ModelOptions, TranslationModelOptions>("translation", "an encoder and a decoder that translate sentences"),
      kind<ModelOptions, VisionTransformerOptions>("vision", "a Transformer on the patches of an image, and its class"),
  };
  return all;
}

}  // namespace normlab

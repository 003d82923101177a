// Folding: a trained model without its norms that computes the same, for evaluation.
#pragma once

#include <memory>

#include "language_model.h"
#include "translation_model.h"

namespace normlab {

// A new model with the norm `none` at every site and the same logits as `model` in evaluation by the running statistics
// it has now (what is pending is left out). There each of its norms must be y = scale * x + shift, feature by feature:
// Norm::affine(). Between linear maps that is one more linear map (batch normalization folding: Jacob et al. 2018,
// 3.2):
//   norm before the map   W (scale * x + shift) + b = (W diag(scale)) x + (b + W shift)
//   norm after the map    scale * (W x + b) + shift = (diag(scale) W) x + (scale * b + shift)
//
//   site                      folded into
//   attention_norm            attention.query, .key and .value
//   feed_forward_norm         feed_forward.inner
//   feed_forward.inner_norm   feed_forward.inner, the map before it
//   final_norm                output, which gets a bias; a tied output first becomes a copy of the embedding
//
// In a translation model also:
//
//   decoder.cross_attention_norm   cross_attention.query
//   encoder.final_norm             cross_attention.key and .value of every layer of the decoder
//   decoder.final_norm             output, likewise; what was one shared matrix becomes one for each use
//
// A site without a norm stays as it is, every other one is folded. Error that names all sites where that cannot be, why
// and what helps: the norm takes statistics of each token, has a pre-scale in front, or, in Post-LN, its output is the
// residual stream too; and when no site has a norm. `model` is not changed and shares no tensor with the new one, which
// can be trained, but as a model that never had norms.
//
// What rounding leaves grows with |running mean| / deviation: a norm subtracts before it multiplies, a folded one
// after.
std::unique_ptr<LanguageModel> fold_norms(const LanguageModel& model);
std::unique_ptr<TranslationModel> fold_norms(const TranslationModel& model);

}  // namespace normlab

// The vision Transformer (Dosovitskiy et al. 2021): an image as a sequence of patches, and its class.
#pragma once

#include "linear.h"
#include "positions.h"
#include "training_size.h"
#include "transformer.h"

namespace normlab {

// What is read of the last layer: the class token, a learned row in front of every image's patches, or the mean over
// the image's patches, without such a row.
enum class Pooling { class_token, mean };

struct VisionTransformerConfig : StackConfig {
  PositionKind positions = PositionKind::learned;
  Pooling pooling = Pooling::class_token;

  void fields(Fields& f);
};

// What the data decide.
struct VisionExtents {
  Index patches = 0;         // of an image, at most
  Index patch_features = 0;  // numbers of a patch
  Index classes = 0;
};

// h = stack(dropout(positions(class token and patch_embedding(patches)))), logits = output(pooled h).
// Paths: patch_embedding.weight, class_token (where there is one), positions.weight (learned only),
// layers.0.attention.query.weight …, final_norm.weight, output.weight. The class token starts at N(0, 1 / width).
class VisionTransformer : public Module {
 public:
  VisionTransformer(const Init& init, const VisionTransformerConfig& config, const VisionExtents& extents);
  // logits[images, classes] of patches[tokens, patch features], each image a sequence of `rows`. Norms take their
  // statistics over the class tokens too. Error when a row does not count.
  Tensor logits(const Tensor& patches, const Rows& rows, const Pass& pass) const;

  // What it was made from.
  const VisionTransformerConfig& config() const { return config_; }
  const VisionExtents& extents() const { return extents_; }

 private:
  const VisionTransformerConfig config_;
  const VisionExtents extents_;
  Linear& patch_embedding_;
  Tensor class_token_;  // undefined without one
  Positions& positions_;
  Dropout input_dropout_;
  Stack& stack_;
  Linear& output_;
};

// Of `images` in a micro-batch, and `moments` values an optimizer keeps per parameter.
TrainingSize training_size(const VisionTransformerConfig& config, const VisionExtents& extents, Index images,
                           Dtype dtype, Index moments = 2);

}  // namespace normlab

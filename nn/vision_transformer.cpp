// The vision Transformer: see the header.
#include "vision_transformer.h"

#include <algorithm>
#include <cmath>

#include "../engine/ops/reduce.h"
#include "../engine/ops/sequences.h"

namespace normlab {
namespace {

// i32 [sequences]: where each begins.
Tensor first_rows(const Rows& rows) {
  Tensor first = Tensor::empty({rows.sequences()}, Dtype::i32);
  for (Index s = 0; s < rows.sequences(); ++s) first.set(s, static_cast<double>(rows.begin(s)));
  return first;
}

Index rows_of_image(const VisionTransformerConfig& config, const VisionExtents& extents) {
  return extents.patches + (config.pooling == Pooling::class_token ? 1 : 0);
}

}  // namespace

void VisionTransformerConfig::fields(Fields& f) {
  StackConfig::fields(f);
  choice(f, "positions", positions,
         {{PositionKind::sinusoidal, "sinusoidal"}, {PositionKind::learned, "learned"}, {PositionKind::none, "none"}},
         "how a patch's position enters the model, counted row by row");
  choice(f, "pooling", pooling, {{Pooling::class_token, "class_token"}, {Pooling::mean, "mean"}},
         "what the class is read from: a learned row in front of the patches, or the mean over the patches");
}

VisionTransformer::VisionTransformer(const Init& init, const VisionTransformerConfig& config,
                                     const VisionExtents& extents)
    : Module(init),
      config_(config),
      extents_(extents),
      patch_embedding_(child<Linear>("patch_embedding", extents.patch_features, config.width)),
      class_token_(
          config.pooling == Pooling::class_token
              ? parameter("class_token", {config.width}, normal(1 / std::sqrt(static_cast<double>(config.width))))
              : Tensor()),
      positions_(child<Positions>("positions", config.positions, rows_of_image(config, extents), config.width)),
      input_dropout_{config.dropout, init.at("input")},
      stack_(child<Stack>("", config, /*causal=*/false)),
      output_(child<Linear>("output", config.width, extents.classes)) {}

Tensor VisionTransformer::logits(const Tensor& patches, const Rows& rows, const Pass& pass) const {
  check(patches.rows() == rows.tokens() && patches.columns() == extents_.patch_features,
        "vision transformer: patches must be [", rows.tokens(), ", ", extents_.patch_features,
        "], the rows of their images and the numbers of a patch, got ", patches.shape());
  check(rows.all_count(), "vision transformer: every row must be a patch, got ", rows.tokens() - rows.counted(),
        " that do not count; attention would see them");
  const bool token = config_.pooling == Pooling::class_token;
  const Rows all = token ? one_longer(rows) : rows;
  Tensor x = patch_embedding_.forward(patches);
  if (token) x = prepend_row(x, class_token_, rows);
  x = watch("input", input_dropout_(positions_.forward(x, all), pass));
  x = stack_.forward(x, all, pass);
  x = token ? gather_rows(x, first_rows(all)) : mean_of_sequences(x, rows);
  return watch("logits", output_.forward(watch("pooled", x)));
}

TrainingSize training_size(const VisionTransformerConfig& config, const VisionExtents& extents, Index images,
                           Dtype dtype, Index moments) {
  Init init;
  init.dtype = dtype;
  init.allocate = false;
  const VisionTransformer model(init, config, extents);

  const auto number = [](auto value) { return static_cast<double>(value); };
  // Besides the layers: the patch, the last layer's output, and what a layer needs in passing, of which there is only
  // one at a time. Pooled rows and logits are few.
  const double passing = 3 * number(std::max(config.width, config.feed_forward));
  const double token =
      number(extents.patch_features) + number(config.layers) * config.kept_by_layer() + config.kept_at_end() + passing;

  TrainingSize size;
  size.tokens = images * rows_of_image(config, extents);
  size.parameters = model.parameter_count();
  size.parameter_bytes = number(size.parameters) * number(bytes_of(dtype)) * number(2 + moments);
  size.activation_bytes = number(size.tokens) * number(bytes_of(dtype)) * token;
  return size;
}

}  // namespace normlab

// The vision Transformer: names, gradients, what it sees, and what it costs.
#include "nn/vision_transformer.h"

#include "engine/ops/loss.h"
#include "engine/storage.h"
#include "tests/nn/support.h"

using namespace normlab;

namespace {

constexpr VisionExtents kExtents{4, 6, 5};
const Rows kRows = Rows::equal(3, 4);
const Pass kTraining{.training = true, .seed = 1, .step = 1};

VisionTransformerConfig small_vision(Placement placement = Placement::pre) {
  VisionTransformerConfig config;
  static_cast<StackConfig&>(config) = small_config(placement);
  config.dropout = 0;
  return config;
}

bool has(const std::vector<std::string>& paths, const std::string& path) {
  return std::find(paths.begin(), paths.end(), path) != paths.end();
}

}  // namespace

TEST_CASE("vision transformer: its own parameters by name") {
  const VisionTransformer token(init_f64(), small_vision(), kExtents);
  const auto paths = paths_of(token.parameters());
  for (const char* path : {"patch_embedding.weight", "patch_embedding.bias", "class_token", "positions.weight",
                           "layers.1.feed_forward.outer.bias", "final_norm.weight", "output.weight", "output.bias"}) {
    INFO(path);
    CHECK(has(paths, path));
  }
  VisionTransformerConfig config = small_vision();
  config.pooling = Pooling::mean;
  const VisionTransformer mean(init_f64(), config, kExtents);
  CHECK_FALSE(has(paths_of(mean.parameters()), "class_token"));
  CHECK(token.parameter_count() - mean.parameter_count() == 2 * 8);  // the token and its position
}

TEST_CASE("vision transformer: gradient of the mean loss by every parameter and patch") {
  const Tensor patches = random_tensor({12, 6}, "patches"), labels = random_ids(3, 5, "labels");
  VisionTransformerConfig config = small_vision();
  Pass pass;
  SECTION("Pre-LN, class token") {}
  SECTION("Post-LN, mean, sinusoidal positions") {
    config = small_vision(Placement::post);
    config.pooling = Pooling::mean;
    config.positions = PositionKind::sinusoidal;
  }
  SECTION("batch norm everywhere, between the maps too; dropout, GELU") {
    config.norm.set("batch");
    config.norm_at.inner.set("same");
    config.activation = Activation::gelu;
    config.dropout = config.attention_dropout = config.activation_dropout = 0.2;
    pass = kTraining;
  }
  const VisionTransformer model(init_f64(), config, kExtents);
  shake(model);
  check_gradients(model, {patches}, [&](const std::vector<Tensor>& in) {
    return cross_entropy(model.logits(in[0], kRows, pass), labels, Rows::single(3), 0.1).loss;
  });
}

TEST_CASE("vision transformer: images of a batch give what each gives alone, of fewer patches too") {
  const Rows rows = Rows::of_lengths({4, 2, 3});
  const Tensor patches = random_tensor({9, 6}, "patches");
  for (const Pooling pooling : {Pooling::class_token, Pooling::mean}) {
    VisionTransformerConfig config = small_vision();
    config.pooling = pooling;
    const VisionTransformer model(init_f64(), config, kExtents);
    shake(model);
    const Tensor together = model.logits(patches, rows, {});
    REQUIRE(together.shape() == Shape{3, 5});
    for (Index image = 0; image < 3; ++image) {
      Tensor alone = Tensor::empty({rows.length(image), 6}, Dtype::f64);
      for (Index i = 0; i < alone.size(); ++i) alone.set(i, patches.at(rows.begin(image) * 6 + i));
      const Tensor logits = model.logits(alone, Rows::single(rows.length(image)), {});
      for (Index j = 0; j < 5; ++j) CHECK(logits.at(j) == Approx(together.at(image * 5 + j)).epsilon(1e-12));
    }
  }
}

TEST_CASE("vision transformer: without positions the order of patches does not matter, with them it does") {
  const Tensor patches = random_tensor({4, 6}, "patches");
  Tensor swapped = patches.clone();
  for (Index j = 0; j < 6; ++j) {
    swapped.set(j, patches.at(18 + j));
    swapped.set(18 + j, patches.at(j));
  }
  for (const PositionKind positions : {PositionKind::none, PositionKind::learned}) {
    VisionTransformerConfig config = small_vision();
    config.positions = positions;
    const VisionTransformer model(init_f64(), config, kExtents);
    const double changed =
        largest_difference(model.logits(patches, Rows::single(4), {}), model.logits(swapped, Rows::single(4), {}));
    CHECK((positions == PositionKind::none ? changed < 1e-12 : changed > 1e-3));
  }
}

TEST_CASE("vision transformer: errors name what came") {
  const VisionTransformer model(init_f64(), small_vision(), kExtents);
  CHECK_THROWS_WITH(model.logits(random_tensor({12, 7}, "x"), kRows, {}),
                    ContainsSubstring("patches must be [12, 6]") && ContainsSubstring("got [12, 7]"));
  CHECK_THROWS_WITH(model.logits(random_tensor({4, 6}, "x"), Rows({0, 4}, {1, 1, 1, 0}), {}),
                    ContainsSubstring("every row must be a patch, got 1 that do not count"));
  CHECK_THROWS_WITH(model.logits(random_tensor({5, 6}, "x"), Rows::single(5), {}),
                    ContainsSubstring("positions: sequences must have at most 5 tokens, got one of 6"));
}

TEST_CASE("training_size of a vision transformer comes close to what a step takes") {
  VisionTransformerConfig config;
  config.layers = 3;
  config.width = 64;
  config.heads = 4;
  config.feed_forward = 256;
  config.activation = Activation::gelu;
  const VisionExtents extents{16, 48, 10};
  const Index images = 32;
  const Tensor patches = random_tensor({images * 16, 48}, "patches", Dtype::f32);
  const Tensor labels = random_ids(images, 10, "labels");
  const TrainingSize size = training_size(config, extents, images, Dtype::f32);
  CHECK(size.tokens == images * 17);
  trim_pool();
  const double before = static_cast<double>(pool_counts().bytes_in_use);
  const VisionTransformer model({}, config, extents);
  CHECK(size.parameters == model.parameter_count());
  const double built = static_cast<double>(pool_counts().bytes_in_use) - before;
  Peak peak;
  Tape tape(&peak);
  tape.backward(
      cross_entropy(model.logits(patches, Rows::equal(images, 16), kTraining), labels, Rows::single(images)).loss);
  const double taken = peak.bytes - before - built;
  INFO("estimated " << size.activation_bytes << ", taken " << taken);
  CHECK(taken > 0.8 * size.activation_bytes);
  CHECK(taken < 1.2 * size.activation_bytes);
}

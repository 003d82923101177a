// What the tests of modules share: random inputs, parameters moved off their special initial values, and gradient
// checks.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "engine/gradcheck.h"
#include "engine/ops/loss.h"
#include "engine/parallel.h"
#include "nn/language_model.h"
#include "nn/translation_model.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"

namespace normlab {

inline Init init_f64(const std::string& path = "") {
  Init init;
  init.path = path;
  init.dtype = Dtype::f64;
  return init;
}

inline Tensor random_tensor(Shape shape, const std::string& name, Dtype dtype = Dtype::f64) {
  Tensor x = Tensor::empty(std::move(shape), dtype);
  fill_normal(x, random_stream(7, name), 0, 1);
  return x;
}

inline Tensor random_ids(Index count, Index vocabulary, const std::string& name) {
  Tensor ids = Tensor::empty({count}, Dtype::i32);
  Random random(7, name);
  for (std::int32_t& id : ids.values<std::int32_t>()) id = static_cast<std::int32_t>(random.below(vocabulary));
  return ids;
}

// Moves biases off zero and norm weights off one: at those values many slips do not show.
inline void shake(const Module& module) {
  for (Named& parameter : module.parameters()) {
    Tensor noise = random_tensor(parameter.shape, "shake." + parameter.path, parameter.tensor.dtype());
    for (Index i = 0; i < noise.size(); ++i) parameter.tensor.set(i, parameter.tensor.at(i) + 0.3 * noise.at(i));
  }
}

// Gives `to` the parameters of `from`, a module alike at another path.
inline void same_parameters(const Module& from, const Module& to) {
  const auto source = from.parameters();
  auto target = to.parameters();
  REQUIRE(source.size() == target.size());
  for (std::size_t i = 0; i < source.size(); ++i) target[i].tensor.copy_from(source[i].tensor);
}

inline double largest_difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  double largest = 0;
  for (Index i = 0; i < a.size(); ++i) largest = worse(largest, std::abs(a.at(i) - b.at(i)));
  return largest;
}

inline std::vector<std::string> paths_of(const std::vector<Named>& list) {
  std::vector<std::string> paths;
  for (const Named& named : list) paths.push_back(named.path);
  return paths;
}

// Checks the gradient of forward(x…) with respect to the inputs and to every parameter of the module.
inline void check_gradients(const Module& module, std::vector<Tensor> inputs, const GradcheckFunction& forward) {
  GradcheckOptions options;
  for (std::size_t i = 0; i < inputs.size(); ++i) options.names.push_back(text("input ", i));
  for (const Named& parameter : module.parameters()) {
    inputs.push_back(parameter.tensor);
    options.names.push_back(parameter.path);
  }
  // Matrices this small are computed before a second thread has woken up.
  const int before = threads();
  set_threads(1);
  const GradcheckResult result = gradcheck(forward, inputs, options);
  set_threads(before);
  INFO(result.report);
  CHECK(result.passed);
  CHECK(result.checked > 0);
}

// A model small enough to perturb each of its parameters.
inline LanguageModelConfig small_config(Placement placement) {
  LanguageModelConfig config;
  config.layers = 2;
  config.width = 8;
  config.heads = 2;
  config.feed_forward = 12;
  config.placement = placement;
  config.final_norm = placement == Placement::pre;
  return config;
}

inline TranslationModelConfig small_translation_config(Placement placement,
                                                       EmbeddingSharing sharing = EmbeddingSharing::all) {
  TranslationModelConfig config;
  config.encoder = small_config(placement);
  config.decoder = small_config(placement);
  config.share_embeddings = sharing;
  return config;
}

// The most the pool had in use at any site, forward or backward.
class Peak : public Observer {
 public:
  void value(const std::string&, const Tensor&) override { look(); }
  void gradient(const std::string&, const Tensor&) override { look(); }
  double bytes = 0;

 private:
  void look() { bytes = std::max(bytes, static_cast<double>(pool_counts().bytes_in_use)); }
};

}  // namespace normlab

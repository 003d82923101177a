// All kinds of norm, one line each.
#include "norm.h"

#include "layer.h"
#include "none.h"

namespace normlab {

const std::vector<Registered<NormOptions>>& registered(const NormOptions*) {
  static const std::vector<Registered<NormOptions>> all = {
      {"layer", "layer normalization: each token by its own mean and variance",
       [] { return std::make_shared<LayerNormOptions>(); }},
      {"none", "no normalization", [] { return std::make_shared<NoNormOptions>(); }},
  };
  return all;
}

}  // namespace normlab

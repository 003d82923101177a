// Dropout at one place of a model.
#pragma once

#include <string>

#include "../engine/ops/dropout.h"
#include "pass.h"

namespace normlab {

// A probability and the site's path. The path names the random numbers, so that each site draws its own, and the same
// ones in every model that has the site.
struct Dropout {
  double probability = 0;
  std::string site;

  Tensor operator()(const Tensor& x, const Pass& pass) const {
    return pass.training ? dropout(x, probability, pass.stream(site)) : x;
  }
};

}  // namespace normlab

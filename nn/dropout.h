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

  Tensor operator()(Tensor x, const Pass& pass) const { return dropout(std::move(x), share(pass), pass.stream(site)); }
  // x + dropout(branch)
  Tensor add(const Tensor& x, Tensor branch, const Pass& pass) const {
    return add_dropout(x, std::move(branch), share(pass), pass.stream(site));
  }
  // dropout(relu(x))
  Tensor relu(Tensor x, const Pass& pass) const { return relu_dropout(std::move(x), share(pass), pass.stream(site)); }

 private:
  double share(const Pass& pass) const { return pass.training ? probability : 0; }
};

}  // namespace normlab

// Init: where a module stands and how its parameters get their first values.
//
// Every parameter's values are a function of (seed, its own path), so that two models which share a seed share the
// values of all parameters that both have, whatever else differs between them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "../engine/random.h"
#include "../engine/tensor.h"

namespace normlab {

struct Init {
  std::string path;          // empty for the root
  std::uint64_t seed = 1;
  Dtype dtype = Dtype::f32;
  bool allocate = true;      // false: only shapes are registered, to count a model before it is built

  Init child(const std::string& name) const;    // the path extended by ".name"; by nothing when the name is empty
  std::string at(const std::string& name) const;  // the path of a parameter or a site
};

// Fills a new parameter from the random stream of its path.
using Initializer = std::function<void(Tensor& parameter, const RandomStream& stream)>;

Initializer constant(double value);
Initializer normal(double deviation);
// N(0, 2 / (fan_in + fan_out)), Glorot & Bengio 2010 as used by Xiong et al. 2020 (each of query, key, value by its
// own fan).
Initializer xavier_normal(Index fan_in, Index fan_out);

}  // namespace normlab

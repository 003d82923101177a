// Initial values, drawn from the random stream of the parameter's path.
#include "init.h"

#include <cmath>

namespace normlab {

Init Init::child(const std::string& name) const {
  Init init = *this;
  if (!name.empty()) init.path = at(name);
  return init;
}

std::string Init::at(const std::string& name) const { return path.empty() ? name : path + "." + name; }

Initializer constant(double value) {
  return [value](Tensor& parameter, const RandomStream&) { parameter.fill(value); };
}

Initializer normal(double deviation) {
  return [deviation](Tensor& parameter, const RandomStream& stream) { fill_normal(parameter, stream, 0, deviation); };
}

Initializer xavier_normal(Index fan_in, Index fan_out) {
  return normal(std::sqrt(2.0 / static_cast<double>(fan_in + fan_out)));
}

}  // namespace normlab

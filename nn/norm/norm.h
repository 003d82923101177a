// Norm: what every normalization offers, and the registry of all kinds.
//
// A new norm is a file beside this one (a module and its options) and a line in norm.cpp. A norm with running
// statistics keeps them as buffers; its forward and backward put what they measured aside, and commit_own() folds it
// in.
#pragma once

#include <memory>
#include <vector>

#include "../../engine/registry.h"
#include "../../engine/rows.h"
#include "../module.h"

namespace normlab {

class Norm : public Module {
 public:
  // y[tokens, features] from x of the same shape. Statistics over tokens leave out the rows that do not count.
  virtual Tensor forward(const Tensor& x, const Rows& rows, const Pass& pass) = 0;
  // Is backward the derivative of forward? A norm whose published backward is a surrogate says no.
  virtual bool exact_gradient() const { return true; }

 protected:
  using Module::Module;
};

struct NormOptions {
  virtual ~NormOptions() = default;
  virtual void fields(Fields& f) = 0;
  virtual std::unique_ptr<Norm> make(const Init& init, Index features) const = 0;
};

const std::vector<Registered<NormOptions>>& registered(const NormOptions*);
using NormConfig = Choice<NormOptions>;

}  // namespace normlab

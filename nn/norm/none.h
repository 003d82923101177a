// No norm at all: the control that shows what a norm does.
#pragma once

#include "norm.h"

namespace normlab {

class NoNorm : public Norm {
 public:
  explicit NoNorm(const Init& init) : Norm(init) {}
  Tensor forward(const Tensor& x, const Rows&, const Pass&) override {
    return output([&] { return x; });
  }
  Passes passes() const override { return {0, 0}; }
};

struct NoNormOptions : NormOptions {
  void fields(Fields&) override {}
  std::unique_ptr<Norm> make(const Init& init, Index) const override { return std::make_unique<NoNorm>(init); }
};

}  // namespace normlab

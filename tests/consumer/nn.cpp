// Another project's use of the installed modules: one of its own, with a named parameter.
#include <normlab/engine/ops/elementwise.h>
#include <normlab/nn/module.h>

#include <cstdio>

#ifdef EIGEN_WORLD_VERSION
#error "an installed header includes Eigen"
#endif

class Shift : public normlab::Module {
 public:
  Shift(const normlab::Init& init, normlab::Index width)
      : Module(init), bias_(parameter("bias", {width}, normlab::constant(2))) {}
  normlab::Tensor forward(const normlab::Tensor& x) const { return normlab::add_bias(x, bias_); }

 private:
  normlab::Tensor bias_;
};

int main() {
  using namespace normlab;
  const Shift shift({.path = "shift"}, 3);
  const Tensor y = shift.forward(Tensor::full({2, 3}, Dtype::f32, 1));
  std::printf("%s: %g\n", shift.parameters()[0].path.c_str(), static_cast<double>(y.data<float>()[5]));
  return shift.parameters()[0].path == "shift.bias" && y.data<float>()[5] == 3 ? 0 : 1;
}

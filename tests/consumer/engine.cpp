// Another project's use of the installed engine: an op, a tape, the gradient checker.
#include <normlab/engine/gradcheck.h>
#include <normlab/engine/ops/elementwise.h>
#include <normlab/engine/ops/product.h>
#include <normlab/engine/tensor.h>

#include <cstdio>

#ifdef EIGEN_WORLD_VERSION
#error "an installed header includes Eigen"
#endif

int main() {
  using namespace normlab;
  const Tensor x = Tensor::from<double>({2, 3}, std::vector<double>{1, -2, 3, 0.5, 0.25, -1});
  const Tensor weight = Tensor::from<double>({2, 3}, std::vector<double>{0.1, 0.2, -0.3, 1, 2, 3});
  const GradcheckResult result =
      gradcheck([](const std::vector<Tensor>& in) { return gelu(linear(in[0], in[1])); }, {x, weight});
  std::printf("%td elements checked: %s\n", result.checked, result ? "passed" : result.report.c_str());
  return result && result.checked == 12 ? 0 : 1;
}

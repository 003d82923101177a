// The gradient checker: does a function's backward compute the derivative of its forward?
//
// For y = f(x) and a random cotangent c, the analytic gradient of <c, y> (one backward) is compared with central
// differences
// (<c, f(x + h e)> - <c, f(x - h e)>) / 2h, element by element, in float64. A random cotangent is used because under
// a plain sum of the outputs softmax and layer norm have zero gradient, which hides most mistakes.
//
//   Tensor x = …, w = …;                                   // f64
//   GradcheckResult result = gradcheck([](const std::vector<Tensor>& in) { return my_op(in[0], in[1]); }, {x, w});
//   if (!result) std::puts(result.report.c_str());
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tensor.h"

namespace normlab {

struct GradcheckOptions {
  double step = 1e-5;      // h
  double absolute = 1e-8;  // passes when |analytic - numeric| <= absolute + relative * |numeric|, which NaN never does
  double relative = 1e-6;
  std::uint64_t seed = 1;  // of the cotangent and of the choice of elements
  Index elements = 0;      // how many elements of each input to perturb, drawn at random; 0 for all of them
  std::vector<std::string> names = {};  // of the inputs, for the report; "input 0" … when empty
};

struct GradcheckResult {
  bool passed = false;
  std::string report;  // empty when passed; else what failed: output, input, element, analytic and numeric value
  double worst = 0;    // largest |analytic - numeric| / (absolute + relative * |numeric|)
  Index checked = 0;   // elements compared
  Index redrawn = 0;   // elements left out because an op's kink (a ReLU's zero) lay within the step
  explicit operator bool() const { return passed; }
};

using GradcheckFunction = std::function<Tensor(const std::vector<Tensor>& inputs)>;

// Checks the gradient of `f` at `inputs` (f64 tensors) with respect to every input. The inputs are perturbed in place
// and put back, so that f may also reach them by other ways: to check a module, pass its parameters as inputs. Also
// checked: a zero cotangent gives exactly zero; backward twice gives the same bits; backward adds to a leaf's gradient
// that is already there, and gives the same one through an intermediate value. Error when an input is not f64.
GradcheckResult gradcheck(const GradcheckFunction& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options = {});

}  // namespace normlab

// Made-up tensors and comparisons for tests.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/parallel.h"
#include "engine/random.h"
#include "engine/tape.h"
#include "engine/tensor.h"

namespace normlab::testing {

// Independent normal numbers, the same for the same name.
inline Tensor gaussian(Shape shape, const std::string& name, double mean = 0, double deviation = 1,
                       Dtype dtype = Dtype::f64) {
  Tensor x = Tensor::empty(std::move(shape), dtype);
  fill_normal(x, random_stream(1, name), mean, deviation);
  return x;
}

// The largest difference over the largest magnitude of `expected`; infinite where shapes differ or a NaN stands on one
// side.
inline double relative_difference(const Tensor& got, const Tensor& expected) {
  if (!(got.shape() == expected.shape())) return INFINITY;
  double difference = 0, magnitude = 0;
  for (Index i = 0; i < got.size(); ++i) {
    const double distance = std::abs(got.at(i) - expected.at(i));
    if (!(distance < INFINITY)) return INFINITY;
    difference = std::max(difference, distance);
    magnitude = std::max(magnitude, std::abs(expected.at(i)));
  }
  return difference == 0 ? 0 : difference / magnitude;
}

inline bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

using Function = std::function<Tensor(const std::vector<Tensor>& inputs)>;

// The output of f at the inputs, and then the gradient of <cotangent, output> for each of the inputs. The cotangent is
// drawn at random in f64 and rounded to the output's type. The inputs are left alone.
inline std::vector<Tensor> value_and_gradients(const Function& f, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> leaves;
  for (const Tensor& input : inputs) leaves.push_back(input.clone().require_gradient());
  Tape tape;
  const Tensor y = f(leaves);
  tape.backward(y, gaussian(y.shape(), "cotangent").cast(y.dtype()));
  std::vector<Tensor> results{y.detach()};
  for (const Tensor& leaf : leaves) results.push_back(leaf.gradient());
  return results;
}

// The largest relative difference between value or any gradient of two functions.
inline double relative_difference(const Function& f, const Function& twin, const std::vector<Tensor>& inputs) {
  const std::vector<Tensor> got = value_and_gradients(f, inputs), expected = value_and_gradients(twin, inputs);
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) worst = std::max(worst, relative_difference(got[i], expected[i]));
  return worst;
}

// The same of f in f32 against f in f64, at inputs rounded to f32.
inline double f32_against_f64(const Function& f, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> narrow, wide;
  for (const Tensor& input : inputs) {
    narrow.push_back(input.cast(Dtype::f32));
    wide.push_back(narrow.back().cast(Dtype::f64));
  }
  const std::vector<Tensor> got = value_and_gradients(f, narrow), expected = value_and_gradients(f, wide);
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    worst = std::max(worst, relative_difference(got[i].cast(Dtype::f64), expected[i]));
  }
  return worst;
}

// Do value and gradients have the same bits on 1, 2 and 4 threads?
inline bool same_on_any_threads(const Function& f, const std::vector<Tensor>& inputs) {
  const int before = threads();
  std::vector<std::vector<Tensor>> results;
  for (const int count : {1, 2, 4}) {
    set_threads(count);
    results.push_back(value_and_gradients(f, inputs));
  }
  set_threads(before);
  bool same = true;
  for (const auto& other : results) {
    for (std::size_t i = 0; i < other.size(); ++i) same = same && same_bits(results[0][i], other[i]);
  }
  return same;
}

}  // namespace normlab::testing

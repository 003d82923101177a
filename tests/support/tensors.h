// Made-up tensors and comparisons of whole tensors, for the tests of ops and modules.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <vector>

#include "engine/parallel.h"
#include "engine/random.h"
#include "engine/tape.h"
#include "engine/tensor.h"

// Normal numbers of mean 0 and deviation 1; each name gives others.
inline normlab::Tensor gaussian(normlab::Shape shape, const char* name, normlab::Dtype dtype = normlab::Dtype::f64) {
  normlab::Tensor x = normlab::Tensor::empty(std::move(shape), normlab::Dtype::f64);
  normlab::fill_normal(x, normlab::random_stream(1, name), 0, 1);
  return x.cast(dtype);
}

// The same of another mean and deviation, in f64.
inline normlab::Tensor gaussian(normlab::Shape shape, const char* name, double mean, double deviation) {
  normlab::Tensor x = normlab::Tensor::empty(std::move(shape), normlab::Dtype::f64);
  normlab::fill_normal(x, normlab::random_stream(1, name), mean, deviation);
  return x;
}

// The larger of two differences; NaN, once there, stays.
inline double worse(double a, double b) { return std::isnan(a) || a >= b ? a : b; }

inline bool same_bits(const normlab::Tensor& a, const normlab::Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

// The largest difference, as a share of the largest magnitude in `expected`; infinite where one of them is not finite.
inline double difference(const normlab::Tensor& got, const normlab::Tensor& expected) {
  const bool finite = got.all_finite() && expected.all_finite();
  if (got.shape() != expected.shape() || !finite) return std::numeric_limits<double>::infinity();
  double largest = 0, worst = 0;
  for (normlab::Index i = 0; i < got.size(); ++i) {
    largest = std::max(largest, std::abs(expected.at(i)));
    worst = std::max(worst, std::abs(got.at(i) - expected.at(i)));
  }
  return worst == 0 ? 0 : worst / largest;
}

using TensorFunction = std::function<normlab::Tensor(const std::vector<normlab::Tensor>&)>;

// y = f(inputs) followed by the gradient of every input, for a cotangent that is the same each time.
inline std::vector<normlab::Tensor> value_and_gradients(const TensorFunction& f,
                                                        const std::vector<normlab::Tensor>& inputs) {
  std::vector<normlab::Tensor> leaves;
  for (const normlab::Tensor& input : inputs) leaves.push_back(input.clone().require_gradient());
  normlab::Tape tape;
  const normlab::Tensor y = f(leaves);
  tape.backward(y, gaussian(y.shape(), "cotangent", y.dtype()));
  std::vector<normlab::Tensor> result{y};
  for (const normlab::Tensor& leaf : leaves) result.push_back(leaf.gradient());
  return result;
}

// The largest difference() between two functions, over the value and all gradients.
inline double difference(const TensorFunction& f, const TensorFunction& twin,
                         const std::vector<normlab::Tensor>& inputs) {
  const auto got = value_and_gradients(f, inputs), expected = value_and_gradients(twin, inputs);
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) worst = std::max(worst, difference(got[i], expected[i]));
  return worst;
}

// Does the gradient of each input come out the same to the bit when it is the only one that is wanted?
inline bool same_when_wanted_alone(const TensorFunction& f, const std::vector<normlab::Tensor>& inputs) {
  const auto all = value_and_gradients(f, inputs);
  for (std::size_t wanted = 0; wanted < inputs.size(); ++wanted) {
    const auto with_one = [&](const std::vector<normlab::Tensor>& leaf) {
      std::vector<normlab::Tensor> mixed = inputs;
      mixed[wanted] = leaf[0];
      return f(mixed);
    };
    if (!same_bits(value_and_gradients(with_one, {inputs[wanted]})[1], all[wanted + 1])) return false;
  }
  return true;
}

// Do the value and all gradients come out the same to the bit on 1, 2 and 4 threads?
inline bool same_on_any_threads(const TensorFunction& f, const std::vector<normlab::Tensor>& inputs) {
  const int before = normlab::threads();
  std::vector<std::vector<normlab::Tensor>> results;
  for (const int count : {1, 2, 4}) {
    normlab::set_threads(count);
    results.push_back(value_and_gradients(f, inputs));
  }
  normlab::set_threads(before);
  return std::equal(results[0].begin(), results[0].end(), results[1].begin(), same_bits) &&
         std::equal(results[0].begin(), results[0].end(), results[2].begin(), same_bits);
}

// The largest difference() between f32 and f64, over the value and all gradients.
inline double difference_of_f32(const TensorFunction& f, const std::vector<normlab::Tensor>& inputs) {
  std::vector<normlab::Tensor> small, large;
  for (const normlab::Tensor& input : inputs) {
    small.push_back(input.cast(normlab::Dtype::f32));
    large.push_back(small.back().cast(normlab::Dtype::f64));  // the very numbers that f32 is given
  }
  const auto got = value_and_gradients(f, small), expected = value_and_gradients(f, large);
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) worst = std::max(worst, difference(got[i], expected[i]));
  return worst;
}

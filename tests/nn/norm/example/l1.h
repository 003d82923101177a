// L1 normalization: each token by the mean magnitude of its own features.
//
//   r = 1 / (mean(|x|) + epsilon)
//   n = x * r
//   y = weight * n
//
//   g  = dy * weight
//   dx = r * (g - sign(x) * mean(g * n))
//   dweight = sum over rows of dy * n
#pragma once

#include <cmath>

#include "../../engine/ops/column_sums.h"
#include "../../engine/parallel.h"
#include "../../engine/tape.h"
#include "norm.h"

namespace normlab {

// x and y are [rows, features], weight [features], r [rows].
template <class T>
void l1_norm_forward(const T* x, const T* weight, Index rows, Index features, double epsilon, T* y, T* r) {
  parallel_rows(rows, features, [=](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Index row = i * features;
      double sum = 0;
      for (Index j = 0; j < features; ++j) sum += std::abs(x[row + j]);
      r[i] = static_cast<T>(1 / (sum / static_cast<double>(features) + epsilon));
      for (Index j = 0; j < features; ++j) y[row + j] = weight[j] * x[row + j] * r[i];
    }
  });
}

// Sets dyn[rows, features] to dy * n, and adds to dx unless no one wants it.
template <class T>
void l1_norm_backward(const T* x, const T* weight, const T* r, const T* dy, Index rows, Index features, T* dyn, T* dx) {
  parallel_rows(rows, features, [=](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Index row = i * features;
      double sum_gn = 0;
      for (Index j = 0; j < features; ++j) {
        dyn[row + j] = dy[row + j] * x[row + j] * r[i];
        sum_gn += weight[j] * dyn[row + j];
      }
      if (!dx) continue;
      const T mean_gn = static_cast<T>(sum_gn / static_cast<double>(features));
      for (Index j = 0; j < features; ++j) {
        const T sign = static_cast<T>((x[row + j] > 0) - (x[row + j] < 0));
        dx[row + j] += r[i] * (weight[j] * dy[row + j] - sign * mean_gn);
      }
    }
  });
}

inline Tensor l1_norm(const Tensor& x, const Tensor& weight, double epsilon) {
  const Index rows = x.rows(), features = x.columns();
  check(weight.shape() == Shape{features} && weight.dtype() == x.dtype(), "l1_norm: weight must be ", x.dtype(), " [",
        features, "] for x of shape ", x.shape(), ", got ", weight.dtype(), " ", weight.shape());
  if (watched()) Tape::current()->observer()->kink(x);  // |x| bends at 0, where the gradient check must not look
  Tensor y = empty_like(x), r = Tensor::empty({rows}, x.dtype());
  visit_real("l1_norm", x.dtype(), [&]<class T>() {
    l1_norm_forward(x.data<T>(), weight.data<T>(), rows, features, epsilon, y.data<T>(), r.data<T>());
  });
  const auto backward = [x = x.detach(), weight = weight.detach(), r](const Tensor& dy, Gradients& into) {
    Tensor dyn = empty_like(x);
    visit_real("l1_norm", x.dtype(), [&]<class T>() {
      T* dx = into.wants(0) ? into[0].data<T>() : nullptr;
      l1_norm_backward(x.data<T>(), weight.data<T>(), r.data<T>(), dy.data<T>(), x.rows(), x.columns(), dyn.data<T>(),
                       dx);
    });
    if (into.wants(1)) column_sums(dyn, 1, into[1], true);
  };
  return record("l1_norm", {&x, &weight}, y, backward);
}

// weight[features] = 1 at first.
class L1Norm : public Norm {
 public:
  L1Norm(const Init& init, Index features, double epsilon)
      : Norm(init), epsilon_(epsilon), weight_(parameter("weight", {features}, constant(1))) {}
  Tensor forward(const Tensor& x, const Rows&, const Pass&) override {
    return output([&] { return l1_norm(x, weight_, epsilon_); });
  }

 private:
  double epsilon_;
  Tensor weight_;
};

struct L1NormOptions : NormOptions {
  double epsilon = 1e-5;

  void fields(Fields& f) override { f.real("epsilon", epsilon, {.above = 0}, "added to the mean magnitude"); }
  std::unique_ptr<Norm> make(const Init& init, Index features) const override {
    return std::make_unique<L1Norm>(init, features, epsilon);
  }
};

}  // namespace normlab

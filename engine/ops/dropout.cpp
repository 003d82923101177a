// Dropout, and what it is fused with. For each element, with s = 1 / (1 - p) and m = [word i of the stream >= p 2^32],
//
//   dropout        y = s m x             dx = s m dy
//   add_dropout    y = x + s m b         dx = dy          db = s m dy
//   relu_dropout   y = s m max(x, 0)     dx = s dy where y > 0, else 0
//
// The mask is not kept: backward draws the same words again, which costs less than the memory. After a ReLU it need not
// even do that, for y > 0 says both that x > 0 and that m = 1.
#include "dropout.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "elementwise.h"
#include "pointwise.h"

namespace normlab {
namespace {

void check_probability(const char* op, double probability) {
  check(probability >= 0 && probability < 1, op, ": probability must be in [0, 1), got ", probability);
}

template <class T>
T scale_of(double probability) {
  return static_cast<T>(1 / (1 - probability));
}

// m * value, where a dropped infinity is 0 too. The value is there in any case, so that the choice is no branch.
template <class T>
T masked(bool m, T value) {
  return m ? value : T(0);
}

// y[i] = value(i, m_i) for all i in [0, size).
template <class T, class Value>
void for_each_masked(Index size, double probability, const RandomStream& stream, T* y, Value value) {
  constexpr Index kBlock = 128;  // words at a time, in blocks of four: few, for memory to work meanwhile
  const auto threshold = static_cast<std::uint32_t>(std::min(std::round(std::ldexp(probability, 32)), 0x1p32 - 1));
  parallel_rows((size + kBlock - 1) / kBlock, kBlock, [=](Index first, Index last) {
    std::array<std::uint32_t, kBlock> words;
    for (Index begin = first * kBlock; begin < std::min(size, last * kBlock); begin += kBlock) {
      const Index count = std::min(kBlock, size - begin);
      random_words(stream, static_cast<std::uint64_t>(begin / 4), {words.data(), static_cast<std::size_t>(count)});
      for (Index i = 0; i < count; ++i) {
        y[begin + i] = value(begin + i, words[static_cast<std::size_t>(i)] >= threshold);
      }
    }
  });
}

// Adds s m dy to the gradient of input `input`, if anyone wants it.
void add_masked(Gradients& into, Index input, const Tensor& dy, double probability, const RandomStream& stream) {
  if (!into.wants(input)) return;
  const Gradients::Target target = into.target(input, dy);
  visit_real("dropout", dy.dtype(), [&]<class T>() {
    T* dx = target.gradient.data<T>();
    const T* from = dy.data<T>();
    const T s = scale_of<T>(probability);
    if (target.accumulate) {
      for_each_masked(dy.size(), probability, stream, dx,
                      [=](Index i, bool m) { return dx[i] + masked(m, s * from[i]); });
    } else {
      for_each_masked(dy.size(), probability, stream, dx, [=](Index i, bool m) { return masked(m, s * from[i]); });
    }
  });
}

}  // namespace

Tensor dropout(Tensor x, double probability, const RandomStream& stream) {
  check_probability("dropout", probability);
  if (probability == 0) return x;
  const auto forward = [probability, stream](const Tensor& input) {
    Tensor y = empty_over(input);
    visit_real("dropout", y.dtype(), [&]<class T>() {
      for_each_masked(
          y.size(), probability, stream, y.data<T>(),
          [x = input.data<T>(), s = scale_of<T>(probability)](Index i, bool m) { return masked(m, s * x[i]); });
    });
    return y;
  };
  const auto backward = [probability, stream](const Tensor& dy, Gradients& into) {
    add_masked(into, 0, dy, probability, stream);
  };
  const Tensor y = forward(x);
  return record("dropout", {&x}, y, backward, kept_output(x, y, forward));
}

Tensor add_dropout(const Tensor& x, Tensor branch, double probability, const RandomStream& stream) {
  check_probability("add_dropout", probability);
  check_alike("add_dropout", x, branch);
  if (probability == 0) return add(x, branch);
  Tensor y = empty_over(branch);
  visit_real("add_dropout", x.dtype(), [&]<class T>() {
    for_each_masked(x.size(), probability, stream, y.data<T>(),
                    [x = x.data<T>(), b = branch.data<T>(), s = scale_of<T>(probability)](Index i, bool m) {
                      return x[i] + masked(m, s * b[i]);
                    });
  });
  return record("add_dropout", {&x, &branch}, y, [probability, stream](const Tensor& dy, Gradients& into) {
    pass_gradient(into, 0, dy);
    add_masked(into, 1, dy, probability, stream);
  });
}

// NaN passes a ReLU.
Tensor relu_dropout(Tensor x, double probability, const RandomStream& stream) {
  check_probability("relu_dropout", probability);
  if (probability == 0) return relu(std::move(x));
  if (watched()) Tape::current()->observer()->kink(x);
  const auto forward = [probability, stream](const Tensor& input) {
    Tensor y = empty_over(input);
    visit_real("relu_dropout", y.dtype(), [&]<class T>() {
      for_each_masked(y.size(), probability, stream, y.data<T>(),
                      [x = input.data<T>(), s = scale_of<T>(probability)](Index i, bool m) {
                        return masked(m, s * (x[i] < 0 ? T(0) : x[i]));
                      });
    });
    return y;
  };
  const Tensor result = forward(x);
  const Kept kept = kept_output(x, result, forward);
  const auto backward = [kept, probability](const Tensor& dy, Gradients& into) {
    const Tensor y = kept.get();
    visit_real("relu_dropout", dy.dtype(), [&]<class T>() {
      const auto value = [dy = dy.data<T>(), y = y.data<T>(), s = scale_of<T>(probability)](Index i) {
        const T d = s * dy[i];
        return y[i] > 0 ? d : T(0);
      };
      add_gradient<T>(into, 0, value, dy);
    });
  };
  return record("relu_dropout", {&x}, result, backward, kept);
}

}  // namespace normlab

// Dropout.
//
//   y_i = m_i x_i / (1 - p)          dx_i = m_i dy_i / (1 - p)          m_i = [word i of the stream >= p 2^32]
//
// Forward and backward are one function, applied to x and to dy. The mask is not kept: backward draws the same words
// again, which costs less than the memory.
#include "dropout.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "../parallel.h"
#include "../tape.h"

namespace normlab {
namespace {

template <class T>
void mask_block(const T* in, const std::uint32_t* words, Index count, std::uint32_t threshold, T factor, T* out,
                bool accumulate) {
  for (Index i = 0; i < count; ++i) {
    const T value = words[i] >= threshold ? factor * in[i] : T(0);
    out[i] = accumulate ? out[i] + value : value;
  }
}

// out[i] = m_i in[i] / (1 - p), or added to what is there when `accumulate`.
template <class T>
void apply_mask(const T* in, Index size, double probability, const RandomStream& stream, T* out, bool accumulate) {
  constexpr Index kBlock = 1024;  // numbers drawn at a time; a multiple of the four words of a random block
  const auto threshold = static_cast<std::uint32_t>(std::min(std::round(std::ldexp(probability, 32)), 0x1p32 - 1));
  const T factor = static_cast<T>(1 / (1 - probability));
  parallel_rows((size + kBlock - 1) / kBlock, kBlock, [=](Index first, Index last) {
    std::array<std::uint32_t, kBlock> words;
    for (Index begin = first * kBlock; begin < std::min(size, last * kBlock); begin += kBlock) {
      const Index count = std::min(kBlock, size - begin);
      random_words(stream, static_cast<std::uint64_t>(begin / 4), {words.data(), static_cast<std::size_t>(count)});
      mask_block(in + begin, words.data(), count, threshold, factor, out + begin, accumulate);
    }
  });
}

}  // namespace

Tensor dropout(const Tensor& x, double probability, const RandomStream& stream) {
  check(probability >= 0 && probability < 1, "dropout: probability must be in [0, 1), got ", probability);
  if (probability == 0) return x;
  Tensor y = empty_like(x);
  visit_real("dropout", x.dtype(),
             [&]<class T>() { apply_mask(x.data<T>(), x.size(), probability, stream, y.data<T>(), false); });
  return record("dropout", {&x}, y, [probability, stream](const Tensor& dy, Gradients& into) {
    if (!into.wants(0)) return;
    const Gradients::Target dx = into.target(0);
    visit_real("dropout", dy.dtype(), [&]<class T>() {
      apply_mask(dy.data<T>(), dy.size(), probability, stream, dx.gradient.data<T>(), dx.accumulate);
    });
  });
}

}  // namespace normlab

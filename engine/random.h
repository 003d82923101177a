// Random numbers as a function of (seed, stream, step, part, index), not of the order of calls.
//
// A value is read out of the Philox 4x32-10 block cipher (Salmon et al. 2011, "Parallel random numbers: as easy as 1,
// 2, 3"): the key is made from the seed and the stream's name, the counter from step, part and index. Any thread can
// ask for any number in any order, and a resumed run continues the same stream.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "tensor.h"

namespace normlab {

struct RandomStream {
  std::uint64_t key = 0;
  std::uint32_t step = 0;
  std::uint32_t part = 0;  // the micro-batch within a step
};

// The stream of that name; for dropout and initial values the name is the module's path.
RandomStream random_stream(std::uint64_t seed, std::string_view name, std::uint64_t step = 0, std::uint32_t part = 0);

// The four words of block `block` of a stream.
std::array<std::uint32_t, 4> random_block(const RandomStream& stream, std::uint64_t block);
// out[i] = word i of the stream, counted from the start of block `first_block`. Vectorised.
void random_words(const RandomStream& stream, std::uint64_t first_block, std::span<std::uint32_t> out);

void fill_uniform(Tensor& x, const RandomStream& stream, double low, double high);
void fill_normal(Tensor& x, const RandomStream& stream, double mean, double deviation);

// A stream read in order: for shuffling and for made-up data.
class Random {
 public:
  explicit Random(RandomStream stream) : stream_(stream) {}
  Random(std::uint64_t seed, std::string_view name) : Random(random_stream(seed, name)) {}

  std::uint64_t bits();  // 64 random bits
  double uniform();      // [0, 1)
  double normal();       // mean 0, deviation 1
  Index below(Index n);  // 0 … n - 1, each equally likely
  template <class T>
  void shuffle(std::span<T> values) {  // Fisher-Yates
    for (std::size_t i = values.size(); i > 1; --i) {
      std::swap(values[i - 1], values[static_cast<std::size_t>(below(static_cast<Index>(i)))]);
    }
  }

 private:
  RandomStream stream_;
  std::uint64_t next_ = 0;  // in half blocks of 64 bits
};

}  // namespace normlab

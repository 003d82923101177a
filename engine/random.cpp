// Philox 4x32-10 (Salmon, Moraes, Dror & Shaw 2011, section 3.3): ten rounds of two 32 x 32 -> 64 bit products.
#include "random.h"

#include <cmath>
#include <numbers>

#include "parallel.h"

namespace normlab {
namespace {

constexpr std::uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;

// The ten rounds on `kLanes` counters at once, one per lane, so that the compiler can use vector registers.
template <int kLanes>
struct Lanes {
  std::uint32_t c0[kLanes], c1[kLanes], c2[kLanes], c3[kLanes];

  void load(const RandomStream& stream, std::uint64_t first_block) {
    for (int lane = 0; lane < kLanes; ++lane) {
      const std::uint64_t block = first_block + static_cast<std::uint64_t>(lane);
      c0[lane] = static_cast<std::uint32_t>(block);
      c1[lane] = static_cast<std::uint32_t>(block >> 32);
      c2[lane] = stream.step;
      c3[lane] = stream.part;
    }
  }

  void run(std::uint64_t key) {
    auto k0 = static_cast<std::uint32_t>(key);
    auto k1 = static_cast<std::uint32_t>(key >> 32);
    for (int round = 0; round < 10; ++round) {
      for (int lane = 0; lane < kLanes; ++lane) {
        const std::uint64_t p0 = std::uint64_t{kMultiplier0} * c0[lane];
        const std::uint64_t p1 = std::uint64_t{kMultiplier1} * c2[lane];
        const std::uint32_t n0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1[lane] ^ k0;
        const std::uint32_t n2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3[lane] ^ k1;
        c1[lane] = static_cast<std::uint32_t>(p1);
        c3[lane] = static_cast<std::uint32_t>(p0);
        c0[lane] = n0;
        c2[lane] = n2;
      }
      k0 += kWeyl0;
      k1 += kWeyl1;
    }
  }
};

// A number in (0, 1) with 53 random bits; never 0, so that its logarithm is finite.
double open_uniform(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits = (std::uint64_t{high} << 32 | low) >> 11;
  return (static_cast<double>(bits) + 0.5) * 0x1p-53;
}

// Finalizer of MurmurHash3: every bit of the input reaches every bit of the output.
std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 33;
  x *= 0xFF51AFD7ED558CCDULL;
  x ^= x >> 33;
  x *= 0xC4CEB9FE1A85EC53ULL;
  return x ^ (x >> 33);
}

// Calls value(i, u1, u2) with two independent numbers in (0, 1) for each element; one block each.
template <class Value>
void fill_from_blocks(Tensor& x, const RandomStream& stream, Value value) {
  visit_real("fill", x.dtype(), [&]<class T>() {
    T* out = x.data<T>();
    parallel_rows(x.size(), 16, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        const auto words = random_block(stream, static_cast<std::uint64_t>(i));
        out[i] = static_cast<T>(value(open_uniform(words[0], words[1]), open_uniform(words[2], words[3])));
      }
    });
  });
}

}  // namespace

RandomStream random_stream(std::uint64_t seed, std::string_view name, std::uint64_t step, std::uint32_t part) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;  // FNV-1a over the name
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  // The upper half of a long step goes into the key: the counter has room for 32 bits of it.
  return {mix(mix(seed + 0x9E3779B97F4A7C15ULL) ^ hash ^ mix(step >> 32)), static_cast<std::uint32_t>(step), part};
}

std::array<std::uint32_t, 4> random_block(const RandomStream& stream, std::uint64_t block) {
  Lanes<1> one;
  one.load(stream, block);
  one.run(stream.key);
  return {one.c0[0], one.c1[0], one.c2[0], one.c3[0]};
}

void random_words(const RandomStream& stream, std::uint64_t first_block, std::span<std::uint32_t> out) {
  constexpr int kLanes = 16;
  Lanes<kLanes> lanes;
  for (std::size_t done = 0; done < out.size(); first_block += kLanes) {
    lanes.load(stream, first_block);
    lanes.run(stream.key);
    if (out.size() - done >= 4 * kLanes) {
      std::uint32_t* words = out.data() + done;
      for (int lane = 0; lane < kLanes; ++lane) {
        words[4 * lane] = lanes.c0[lane];
        words[4 * lane + 1] = lanes.c1[lane];
        words[4 * lane + 2] = lanes.c2[lane];
        words[4 * lane + 3] = lanes.c3[lane];
      }
      done += 4 * kLanes;
    } else {
      for (int lane = 0; lane < kLanes; ++lane) {
        for (const std::uint32_t word : {lanes.c0[lane], lanes.c1[lane], lanes.c2[lane], lanes.c3[lane]}) {
          if (done < out.size()) out[done++] = word;
        }
      }
    }
  }
}

void fill_uniform(Tensor& x, const RandomStream& stream, double low, double high) {
  fill_from_blocks(x, stream, [&](double u, double) { return low + (high - low) * u; });
}

// Box & Muller 1958.
void fill_normal(Tensor& x, const RandomStream& stream, double mean, double deviation) {
  fill_from_blocks(x, stream, [&](double u, double v) {
    return mean + deviation * std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
  });
}

std::uint64_t Random::bits() {
  const auto words = random_block(stream_, next_ / 2);
  const std::size_t half = 2 * (next_ % 2);
  ++next_;
  return std::uint64_t{words[half]} << 32 | words[half + 1];
}

double Random::uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

double Random::normal() {
  const double u = (static_cast<double>(bits() >> 11) + 0.5) * 0x1p-53;
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * uniform());
}

Index Random::below(Index n) {
  check(n > 0, "below: wants a positive bound, got ", n);
  const auto bound = static_cast<std::uint64_t>(n);
  // Numbers beyond the last full multiple of n are drawn again, so that each value is equally likely.
  const std::uint64_t excess = (~std::uint64_t{0} % bound + 1) % bound;
  for (;;) {
    const std::uint64_t drawn = bits();
    if (drawn <= ~std::uint64_t{0} - excess) return static_cast<Index>(drawn % bound);
  }
}

}  // namespace normlab

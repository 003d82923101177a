// Philox 4x32-10 (Salmon, Moraes, Dror & Shaw 2011, section 3.3): ten rounds of two 32 x 32 -> 64 bit products.
#include "random.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numbers>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "parallel.h"

namespace normlab {
namespace {

constexpr std::uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;

// Eight blocks side by side, one in each 64-bit lane: the compilers' own vector type, whatever the processor has.
constexpr int kLanes = 8;
using Lanes [[gnu::vector_size(8 * kLanes)]] = std::uint64_t;

// product = multiplier * the lower half of a.
void multiply(std::uint64_t a, std::uint32_t multiplier, std::uint64_t& product) {
  product = (a & 0xFFFFFFFF) * multiplier;
}
void multiply(const Lanes& a, std::uint32_t multiplier, Lanes& product) {
#if defined(__AVX512F__)  // one instruction, which GCC does not find by itself; unmasked, it warns of its own header
  product = reinterpret_cast<Lanes>(_mm512_maskz_mul_epu32(0xFF, reinterpret_cast<__m512i>(a),
                                                           _mm512_set1_epi64(static_cast<long long>(multiplier))));
#elif defined(__AVX2__)  // two
  const auto halves = reinterpret_cast<const __m256i*>(&a);
  const __m256i factor = _mm256_set1_epi64x(static_cast<long long>(multiplier));
  const __m256i products[] = {_mm256_mul_epu32(halves[0], factor), _mm256_mul_epu32(halves[1], factor)};
  std::memcpy(&product, products, sizeof(product));
#else
  product = (a & 0xFFFFFFFF) * multiplier;
#endif
}

// The keys of the ten rounds, two words each.
struct Keys {
  explicit Keys(std::uint64_t key) {
    std::uint32_t k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
    for (auto& round : rounds) {
      round = {k0, k1};
      k0 += kWeyl0;
      k1 += kWeyl1;
    }
  }
  std::array<std::array<std::uint64_t, 2>, 10> rounds;
};

// A counter on its way through the ten rounds. Only the lower 32 bits of a Word, and of each of its lanes, mean
// anything.
template <class Word>
struct Counter {
  Word c0, c1, c2, c3;

  void encrypt(const Keys& keys) {
    for (const auto& [k0, k1] : keys.rounds) {
      Word p0, p1;
      multiply(c0, kMultiplier0, p0);
      multiply(c2, kMultiplier1, p1);
      c0 = (p1 >> 32) ^ c1 ^ k0;
      c2 = (p0 >> 32) ^ c3 ^ k1;
      c1 = p1;
      c3 = p0;
    }
  }
};

// The words of kLanes blocks, one block after the other. Two words are written as one number of 64 bits.
static_assert(std::endian::native == std::endian::little);
void write_blocks(const RandomStream& stream, const Keys& keys, std::uint64_t first_block, std::uint32_t* words) {
  const Lanes block = first_block + Lanes{0, 1, 2, 3, 4, 5, 6, 7};
  const Lanes zero{};
  Counter<Lanes> counter{block, block >> 32, zero + stream.step, zero + stream.part};
  counter.encrypt(keys);
  const Lanes front = (counter.c0 & 0xFFFFFFFF) | counter.c1 << 32;
  const Lanes back = (counter.c2 & 0xFFFFFFFF) | counter.c3 << 32;
  const Lanes first_four = __builtin_shufflevector(front, back, 0, 8, 1, 9, 2, 10, 3, 11);
  const Lanes last_four = __builtin_shufflevector(front, back, 4, 12, 5, 13, 6, 14, 7, 15);
  std::memcpy(words, &first_four, sizeof(Lanes));
  std::memcpy(words + 2 * kLanes, &last_four, sizeof(Lanes));
}

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
  Counter<std::uint64_t> counter{block, block >> 32, stream.step, stream.part};
  counter.encrypt(Keys(stream.key));
  return {static_cast<std::uint32_t>(counter.c0), static_cast<std::uint32_t>(counter.c1),
          static_cast<std::uint32_t>(counter.c2), static_cast<std::uint32_t>(counter.c3)};
}

void random_words(const RandomStream& stream, std::uint64_t first_block, std::span<std::uint32_t> out) {
  constexpr std::size_t kWords = 4 * kLanes;
  const Keys keys(stream.key);
  std::array<std::uint32_t, kWords> last;
  for (std::size_t done = 0; done < out.size(); done += kWords, first_block += kLanes) {
    const bool fits = out.size() - done >= kWords;
    write_blocks(stream, keys, first_block, fits ? out.data() + done : last.data());
    if (!fits) std::copy_n(last.begin(), out.size() - done, out.begin() + static_cast<std::ptrdiff_t>(done));
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

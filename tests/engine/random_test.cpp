// Random numbers: known answers, independence of the order of calls, and moments.
#include "engine/random.h"

#include <cmath>
#include <set>

#include "tests/support/catch.h"

using namespace normlab;

TEST_CASE("Philox 4x32-10 gives the published known answers") {
  // Counter and key of the test vectors that come with the Random123 library.
  RandomStream zero;
  CHECK(random_block(zero, 0) == std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const RandomStream ones{~std::uint64_t{0}, ~std::uint32_t{0}, ~std::uint32_t{0}};
  CHECK(random_block(ones, ~std::uint64_t{0}) ==
        std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  const RandomStream pi{0x299f31d0a4093822ULL, 0x13198a2e, 0x03707344};
  CHECK(random_block(pi, 0x85a308d3243f6a88ULL) ==
        std::array<std::uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("words in bulk are the blocks in order, whatever the length") {
  const RandomStream stream = random_stream(5, "layers.0.dropout", 7, 2);
  for (const std::size_t length : {1u, 3u, 4u, 63u, 64u, 65u, 200u}) {
    std::vector<std::uint32_t> words(length);
    random_words(stream, 11, words);
    bool equal = true;
    for (std::size_t i = 0; i < length; ++i) equal = equal && words[i] == random_block(stream, 11 + i / 4)[i % 4];
    CHECK(equal);
  }
}

TEST_CASE("seed, name, step and part each make another stream") {
  std::set<std::uint32_t> first;
  for (const auto& stream :
       {random_stream(1, "a", 0, 0), random_stream(2, "a", 0, 0), random_stream(1, "b", 0, 0),
        random_stream(1, "a", 1, 0), random_stream(1, "a", 0, 1), random_stream(1, "a", 1ULL << 32, 0)}) {
    first.insert(random_block(stream, 0)[0]);
  }
  CHECK(first.size() == 6);
}

TEST_CASE("normal and uniform numbers have their moments") {
  constexpr Index kCount = 200000;
  Tensor x = Tensor::empty({kCount}, Dtype::f64);
  fill_normal(x, random_stream(3, "normal"), 2, 0.5);
  double mean = 0, square = 0, fourth = 0;
  for (const double v : x.values<double>()) mean += v / kCount;
  for (const double v : x.values<double>()) {
    square += std::pow((v - 2) / 0.5, 2) / kCount;
    fourth += std::pow((v - 2) / 0.5, 4) / kCount;
  }
  // Five deviations of each estimate: 1, sqrt(2) and sqrt(96) over sqrt(count).
  CHECK(std::abs(mean - 2) < 5 * 0.5 / std::sqrt(kCount));
  CHECK(std::abs(square - 1) < 5 * std::sqrt(2.0 / kCount));
  CHECK(std::abs(fourth - 3) < 5 * std::sqrt(96.0 / kCount));
  fill_uniform(x, random_stream(3, "uniform"), -1, 3);
  mean = 0;
  for (const double v : x.values<double>()) {
    REQUIRE((v > -1 && v < 3));
    mean += v / kCount;
  }
  CHECK(std::abs(mean - 1) < 5 * 4 / std::sqrt(12.0 * kCount));
}

TEST_CASE("f32 values are the f64 ones rounded") {
  Tensor a = Tensor::empty({100}, Dtype::f64), b = Tensor::empty({100}, Dtype::f32);
  fill_normal(a, random_stream(1, "w"), 0, 1);
  fill_normal(b, random_stream(1, "w"), 0, 1);
  for (Index i = 0; i < 100; ++i) CHECK(static_cast<float>(a.at(i)) == b.data<float>()[i]);
}

TEST_CASE("a shuffle is a permutation with every order about equally likely") {
  Random random(1, "shuffle");
  int counts[6] = {};
  for (int i = 0; i < 6000; ++i) {
    int v[3] = {0, 1, 2};
    random.shuffle(std::span<int>(v));
    REQUIRE(v[0] + v[1] + v[2] == 3);
    ++counts[v[0] * 2 + (v[1] > v[2])];
  }
  for (const int count : counts) CHECK(std::abs(count - 1000) < 5 * std::sqrt(1000 * 5 / 6.0));
}

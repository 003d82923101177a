// Unigram and bigram models: proper distributions, and values worked out by hand.
#include "data/ngram.h"

#include <cmath>

#include "data/corpus.h"
#include "tests/support/catch.h"

using namespace normlab;

namespace {

// Sentences batching over ids of a vocabulary a, b, c, <eos> = 3, of which c is never seen in training.
CorpusData data_of(const std::vector<std::int32_t>& train, const std::vector<std::int32_t>& valid) {
  Corpus corpus{Vocabulary({"a", "b", "c", "<eos>"}), {}, "test"};
  corpus.splits[0].stream = {train, 3};
  corpus.splits[1].stream = {valid, 3};
  BatchingConfig batching("sentences");
  dynamic_cast<SentencesOptions&>(*batching).tokens_per_batch = static_cast<Index>(train.size());
  return CorpusData(std::move(corpus), batching, 1);
}

}  // namespace

TEST_CASE("probabilities sum to one after every history") {
  const CorpusData data = data_of({0, 1, 3, 0, 0, 1, 3, 0, 3, 1, 1, 3}, {0, 2, 3});
  const Unigram unigram(data);
  const Bigram bigram(data);
  double sum = 0;
  for (std::int32_t w = 0; w < 4; ++w) sum += unigram.probability(w);
  CHECK(sum == Approx(1));
  for (std::int32_t v = 0; v < 4; ++v) {  // c is a history never seen
    sum = 0;
    for (std::int32_t w = 0; w < 4; ++w) sum += bigram.probability(v, w);
    CHECK(sum == Approx(1));
  }
}

TEST_CASE("the bigram model is Kneser-Ney's, by hand") {
  // Pairs: <eos> a 3, a b 2, b <eos> 2, a <eos> 1, <eos> b 1, b <eos> … of the lines "a b", "a b", "a", "b".
  const CorpusData data = data_of({0, 1, 3, 0, 1, 3, 0, 3, 1, 3}, {0, 2, 3});
  // c(<eos> a) = 3, c(<eos> b) = 1, c(a b) = 2, c(a <eos>) = 1, c(b <eos>) = 3: n1 = 2, n2 = 1, D = 2 / (2 + 2).
  // N(. a) = 1, N(. b) = 2, N(. <eos>) = 2: n1 = 1, n2 = 2, E = 1 / (1 + 4); N(. .) = 5.
  const double d = 0.5, e = 0.2;
  const auto q = [&](double predecessors) { return (std::max(predecessors - e, 0.0) + e * 3 / 4) / 5; };
  const Bigram bigram(data);
  CHECK(bigram.probability(3, 0) == Approx((3 - d + d * 2 * q(1)) / 4));
  CHECK(bigram.probability(0, 1) == Approx((2 - d + d * 2 * q(2)) / 3));
  CHECK(bigram.probability(1, 3) == Approx((3 - d + d * 1 * q(2)) / 3));
  CHECK(bigram.probability(0, 2) == Approx(d * 2 * q(0) / 3));
  CHECK(bigram.probability(2, 0) == Approx(q(1)));

  const NgramPerplexity perplexity = ngram_perplexity(data, Split::valid);
  const double nll = -std::log(bigram.probability(3, 0)) - std::log(bigram.probability(0, 2)) - std::log(q(2));
  CHECK(perplexity.tokens == 3);
  CHECK(perplexity.bigram == Approx(std::exp(nll / 3)));
  const double unigram_nll = -std::log(3.5 / 12) - std::log(0.5 / 12) - std::log(4.5 / 12);
  CHECK(perplexity.unigram == Approx(std::exp(unigram_nll / 3)));
  CHECK_THROWS_WITH(ngram_perplexity(data, Split::test),
                    "n-gram perplexity: needs a split with predicted tokens, this one has none");
}

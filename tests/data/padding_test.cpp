// Padding: how many pads each sequence gets, what a padded batch holds, and that all batches of a corpus have it.
#include "data/padding.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "data/corpus.h"
#include "data/ngram.h"
#include "engine/random.h"
#include "tests/support/catch.h"

using namespace normlab;

namespace {

using Ids = std::vector<std::int32_t>;
using Lengths = std::vector<Index>;

Padding padding(const char* kind, double share = 0, bool counted = false, double spread = 0) {
  return {kind, share, spread, counted};
}

Ids values(const Tensor& tensor) {
  const auto span = tensor.values<std::int32_t>();
  return {span.begin(), span.end()};
}

std::vector<bool> counted(const Rows& rows) {
  std::vector<bool> flags;
  for (Index row = 0; row < rows.tokens(); ++row) flags.push_back(rows.counts(row));
  return flags;
}

// Lines of 1 to 20 words and <eos> = 0.
TokenStream lines(const char* name, int count) {
  Random random(3, name);
  TokenStream stream;
  for (int i = 0; i < count; ++i) {
    for (Index words = 1 + random.below(20); words > 0; --words) {
      stream.tokens.push_back(static_cast<std::int32_t>(1 + random.below(9)));
    }
    stream.tokens.push_back(0);
  }
  return stream;
}

CorpusData corpus(const char* batching, const Padding& padding) {
  Corpus corpus{Vocabulary({"<eos>", "1", "2", "3", "4", "5", "6", "7", "8", "9"}), {}, "lines"};
  corpus.splits[0].stream = lines("train", 200);
  corpus.splits[1].stream = lines("valid", 30);
  BatchingConfig config(batching);
  if (auto* sentences = dynamic_cast<SentencesOptions*>(&*config)) sentences->tokens_per_batch = 100;
  if (auto* continuous = dynamic_cast<ContinuousOptions*>(&*config)) {
    continuous->sequence_length = 7;
    continuous->sequences = 9;
  }
  return CorpusData(std::move(corpus), config, 1, padding);
}

// The tokens of a batch without its pads.
Ids without_pads(const Tensor& ids, const Rows& predicted) {
  Ids out;
  for (Index row = 0; row < ids.size(); ++row) {
    if (predicted.counts(row)) out.push_back(static_cast<std::int32_t>(ids.at(row)));
  }
  return out;
}

bool same(const Batch& a, const Batch& b) {
  return values(a.inputs) == values(b.inputs) && values(a.targets) == values(b.targets) &&
         a.rows.offsets() == b.rows.offsets() && a.predicted.offsets() == b.predicted.offsets() &&
         counted(a.rows) == counted(b.rows) && counted(a.predicted) == counted(b.predicted);
}

}  // namespace

TEST_CASE("pads of each kind, by hand") {
  CHECK(padding("none", 0.5).pads({3, 1, 4}) == Lengths{0, 0, 0});
  CHECK(padding("longest").pads({3, 1, 4}) == Lengths{1, 3, 0});
  CHECK(padding("longest").pads({}) == Lengths{});
  CHECK(padding("share", 0.5).pads({3, 1, 4}) == Lengths{3, 1, 4});
  // r = 1/4: 0.75, 1, 2 are owed after each sequence, in whole rows 1, 1, 2.
  CHECK(padding("share", 0.2).pads({3, 1, 4}) == Lengths{1, 0, 1});
  CHECK(padding("share", 0).pads({3, 1, 4}) == Lengths{0, 0, 0});
  // r = 3/22: exactly 7.5 and 10.5 are owed, of which rounding makes 7 and 11; but 22 tokens get at most 3.
  CHECK(padding("share", 0.12).pads({55, 22}) == Lengths{7, 3});
}

TEST_CASE("a batch has its share of pads to half a row, and no sequence is longer than the longest can be") {
  Random random(1, "lengths");
  for (const double share : {0.01, 0.1, 0.2, 0.3, 1.0 / 3, 0.5, 0.7, 0.99}) {
    const Padding wanted = padding("share", share);
    for (int batch = 0; batch < 200; ++batch) {
      Lengths lengths;
      for (Index n = 1 + random.below(40); n > 0; --n) lengths.push_back(1 + random.below(30));
      const Lengths pads = wanted.pads(lengths);
      const auto tokens = static_cast<double>(std::accumulate(lengths.begin(), lengths.end(), Index{0}));
      const auto rows = static_cast<double>(std::accumulate(pads.begin(), pads.end(), Index{0}));
      CAPTURE(share, batch);
      CHECK(std::abs(rows - share / (1 - share) * tokens) <= 0.5 + 1e-9);
      for (std::size_t i = 0; i < pads.size(); ++i) {
        CHECK(pads[i] >= 0);
        CHECK(lengths[i] + pads[i] <= wanted.longest_padded(lengths[i]));
      }
    }
  }
  CHECK(padding("share", 0.5).longest_padded(30) == 60);
  CHECK(padding("share", 0.1).longest_padded(30) == 34);
  CHECK(padding("share", 0.3, true, 0.2).longest_padded(30) == 60);
  CHECK(padding("longest", 0.5).longest_padded(30) == 30);
  CHECK(padding("none", 0.5).longest_padded(30) == 30);
}

TEST_CASE("pads follow the last token of their sequence and are not predicted; statistics see them when asked to") {
  const TokenStream stream{{5, 6, 0, 7, 0}, 0};
  const std::vector<Span> spans = {{3, 5}, {0, 3}, {2, 3}};
  const std::vector<bool> tokens = {true, true, false, true, true, true, true, false, false};
  const std::vector<bool> all(9, true);
  for (const bool counts : {false, true}) {
    const Batch batch = pack(stream, spans, padding("longest", 0, counts));
    CHECK(values(batch.inputs) == Ids{0, 7, 0, 0, 5, 6, 6, 0, 0});
    CHECK(values(batch.targets) == Ids{7, 0, 0, 5, 6, 0, 0, 0, 0});
    CHECK(batch.rows.offsets() == Lengths{0, 3, 6, 9});
    CHECK(batch.predicted.offsets() == batch.rows.offsets());
    CHECK(counted(batch.predicted) == tokens);
    CHECK(counted(batch.rows) == (counts ? all : tokens));
    CHECK(batch.rows.all_count() == counts);
  }
  // Where there is nothing to pad, the batch is the packed one.
  for (const Padding& nothing : {padding("none"), padding("longest"), padding("share", 0.1), padding("share", 0)}) {
    const Batch batch = pack(stream, {{0, 2}, {2, 4}}, nothing);
    CHECK(batch.rows.tokens() == 4);
    CHECK(batch.rows.all_count());
    CHECK(batch.predicted.all_count());
  }
}

TEST_CASE("pads change nothing else: the same tokens in the same batches, in training and evaluation") {
  for (const char* batching : {"sentences", "continuous"}) {
    const CorpusData packed = corpus(batching, {});
    for (const Padding& wanted : {padding("longest"), padding("share", 0.3, true), padding("share", 0.3, true, 0.3)}) {
      const CorpusData padded = corpus(batching, wanted);
      REQUIRE(padded.batches_per_epoch() == packed.batches_per_epoch());
      REQUIRE(padded.evaluation_batches(Split::valid) == packed.evaluation_batches(Split::valid));
      Index pads = 0, longest = 0;
      const auto compare = [&](const Batch& a, const Batch& b) {
        CHECK(without_pads(a.inputs, a.predicted) == values(b.inputs));
        CHECK(without_pads(a.targets, a.predicted) == values(b.targets));
        CHECK(a.predicted.counted() == b.predicted.counted());
        CHECK(a.rows.counted() == (wanted.counted ? a.rows.tokens() : b.rows.tokens()));
        pads += a.rows.tokens() - b.rows.tokens();
        longest = std::max(longest, a.rows.longest());
      };
      CAPTURE(batching, wanted.kind);
      for (Index i = 0; i < 2 * packed.batches_per_epoch(); ++i) {
        const auto index = static_cast<std::uint64_t>(i);
        compare(padded.training_batch(index), packed.training_batch(index));
      }
      const bool ragged = wanted.kind == "share" || std::string(batching) == "sentences";
      CHECK((pads > 0) == ragged);
      pads = 0;
      for (Index i = 0; i < packed.evaluation_batches(Split::valid); ++i) {
        compare(padded.evaluation_batch(Split::valid, i), packed.evaluation_batch(Split::valid, i));
      }
      CHECK(pads > 0);
      CHECK(longest <= padded.longest_sequence());
      CHECK(padded.longest_sequence() == wanted.longest_padded(packed.longest_sequence()));
    }
  }
}

TEST_CASE("n-grams do not count pads") {
  const NgramPerplexity packed = ngram_perplexity(corpus("sentences", {}), Split::valid);
  const NgramPerplexity padded = ngram_perplexity(corpus("sentences", padding("share", 0.3, true)), Split::valid);
  CHECK(padded.tokens == packed.tokens);
  CHECK(padded.unigram == packed.unigram);
  CHECK(padded.bigram == packed.bigram);
}

TEST_CASE("a padded batch is a function of its number") {
  for (const Padding& wanted : {padding("share", 0.3), padding("share", 0.3, false, 0.2)}) {
    const CorpusData one = corpus("sentences", wanted), two = corpus("sentences", wanted);
    for (std::uint64_t i = 0; i < 40; ++i) {
      const std::uint64_t index = 7 * i % 40;
      one.training_batch(39 - index);
      CHECK(same(one.training_batch(index), two.training_batch(index)));
    }
  }
}

TEST_CASE("with a spread the share is drawn evenly from its range, for each batch of each split by itself") {
  const Padding wanted = padding("share", 0.4, true, 0.3);
  double least = 1, most = 0, sum = 0;
  const int draws = 4000;
  for (int i = 0; i < draws; ++i) {
    const Padding own = wanted.of_batch(Random(random_stream(1, "shares", static_cast<std::uint64_t>(i))));
    CHECK(own.kind == "share");
    CHECK(own.counted);
    CHECK(own.spread == 0);
    least = std::min(least, own.share);
    most = std::max(most, own.share);
    sum += own.share;
  }
  CHECK(least >= 0.1);
  CHECK(least < 0.102);
  CHECK(most <= 0.7);
  CHECK(most > 0.698);
  CHECK(std::abs(sum / draws - 0.4) < 4 * 0.6 / std::sqrt(12.0 * draws));  // four of its deviations

  const CorpusData varied = corpus("sentences", wanted), fixed = corpus("sentences", padding("share", 0.4, true));
  const auto share = [](const Batch& batch) {
    return 1 - static_cast<double>(batch.predicted.counted()) / static_cast<double>(batch.predicted.tokens());
  };
  // Rounding moves a share by half a row, of some 100 tokens and their pads.
  std::vector<double> shares;
  for (std::uint64_t i = 0; i < 10; ++i) {
    shares.push_back(share(varied.training_batch(i)));
    CHECK(share(fixed.training_batch(i)) == Approx(0.4).margin(0.01));
  }
  CHECK(std::all_of(shares.begin(), shares.end(), [](double s) { return s > 0.09 && s < 0.71; }));
  const auto [smallest, largest] = std::minmax_element(shares.begin(), shares.end());
  CHECK(*largest - *smallest > 0.2);
  // With one stream for all splits, batches of one number would have one share.
  double apart = 0;
  for (Index i : {0, 1}) {
    apart += std::abs(share(varied.evaluation_batch(Split::valid, i)) - shares[static_cast<std::size_t>(i)]);
  }
  CHECK(apart > 0.1);
}

TEST_CASE("the summary says how many rows are pads") {
  CHECK(corpus("continuous", padding("share", 0.3, true)).summary() ==
        corpus("continuous", {}).summary() + "; 30 % of the training rows are pads, counted by norms");
  CHECK(corpus("continuous", padding("longest")).summary() ==
        corpus("continuous", {}).summary() + "; 0 % of the training rows are pads, not counted by norms");
}

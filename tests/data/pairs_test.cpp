// Pairs as translation data: what a batch holds, that every pair is seen, and that text comes back.
#include "data/pairs.h"

#include <algorithm>
#include <set>

#include "engine/random.h"
#include "tests/data/files.h"
#include "tests/support/catch.h"

using namespace normlab;

namespace {

using Ids = std::vector<std::int32_t>;

Ids values(const Tensor& tensor) {
  const auto span = tensor.values<std::int32_t>();
  return {span.begin(), span.end()};
}

PairCorpus corpus_of(const SegmentedPairs& train, const SegmentedPairs& valid, bool shared = false) {
  PairCorpus corpus;
  corpus.origin = "pairs of a test";
  make_vocabularies(corpus, train, shared, {});
  corpus[Split::train] = encode(corpus, train, train.targets);
  corpus[Split::valid] = encode(corpus, valid, valid.targets);
  return corpus;
}

// One pair three times: what a training batch must hold at least.
struct OnePair {
  std::string source, target;
};
SegmentedPairs three(const OnePair& pair) {
  return {{pair.source, pair.source, pair.source}, {pair.target, pair.target, pair.target}};
}

// Sentence i is told by its first word; all have lengths of their own on either side.
SegmentedPairs many_pairs() {
  Random random(3, "pairs");
  SegmentedPairs pairs;
  for (int i = 0; i < 300; ++i) {
    std::string source = text("s", i), target = text("t", i);
    for (Index k = random.below(20); k > 0; --k) source += " a";
    for (Index k = random.below(20); k > 0; --k) target += " b";
    pairs.sources.push_back(source);
    pairs.targets.push_back(target);
  }
  return pairs;
}

PairBatching batching(Index tokens, bool by_length) {
  PairBatching options;
  options.tokens_per_batch = tokens;
  options.by_length = by_length;
  return options;
}

Index longer_side(const TranslationBatch& batch, Index i) {
  return std::max(batch.source_rows.length(i), batch.target_rows.length(i));
}

}  // namespace

TEST_CASE("a batch of pairs: sources end in <eos>, inputs begin with <bos>, targets are the inputs one on") {
  const PairData data(corpus_of(three({"a a", "x y x y x"}), {{"a z", ""}, {"y", "z x"}}), batching(18, true), 1);
  const auto bos = data.begin_symbol(), eos = data.end_symbol();
  CHECK(data.source_vocabulary_size() == 4);
  CHECK(data.target_vocabulary_size() == 5);
  CHECK(!data.shared_vocabulary());
  const Vocabulary& source = *data.corpus().source_vocabulary;
  const Vocabulary& target = *data.corpus().target_vocabulary;
  CHECK(target[bos] == "<bos>");
  CHECK(target[eos] == "<eos>");
  const auto x = target.find("x"), y = target.find("y"), unk = target.unknown();

  const TranslationBatch batch = data.evaluation_batch(Split::valid, 0);
  CHECK(values(batch.sources) == Ids{source.find("a"), source.unknown(), source.end_of_line(), source.end_of_line()});
  CHECK(batch.source_rows.offsets() == std::vector<Index>{0, 3, 4});  // an empty sentence is an <eos>
  CHECK(values(batch.inputs) == Ids{bos, y, bos, unk, x});
  CHECK(values(batch.targets) == Ids{y, eos, unk, x, eos});
  CHECK(batch.target_rows.offsets() == std::vector<Index>{0, 2, 5});
  CHECK(batch.source_rows.all_count());
  CHECK(batch.target_rows.all_count());

  CHECK(data.longest_source() == 3);
  CHECK(data.longest_target() == 6);
  CHECK(data.evaluation_batches(Split::valid) == 1);
  CHECK(data.evaluation_batches(Split::test) == 0);
  CHECK(!data.entropy(Split::valid));
  CHECK(data.summary() ==
        "pairs of a test; train 3 pairs of 9 and 18 tokens, valid 2 pairs of 4 and 5 tokens, vocabularies of 4 and 5");
}

TEST_CASE("references are as read, and in the batch's order") {
  const PairData data(corpus_of(three({"a a", "x y x y x"}), {{"a", "a a", "a a a"}, {"z", "y", "x x"}}),
                      batching(18, true), 1);
  CHECK(data.references(Split::valid, 0, TextForm::words) == std::vector<std::string>{"z", "y", "x x"});
  const Ids tokens = {data.corpus().target_vocabulary->find("x"), data.corpus().target_vocabulary->find("y"),
                      data.end_symbol(), data.corpus().target_vocabulary->find("x")};
  CHECK(data.target_text(tokens, TextForm::plain) == "x y");
  CHECK(data.target_text({}, TextForm::plain) == "");
  CHECK(message_of([&] { data.target_text({5}, TextForm::plain); }) == "target text: tokens must be in [0, 5), got 5");
  CHECK(message_of([&] { data.references(Split::test, 0, TextForm::words); }) ==
        "evaluation batch: needs test pairs, there are none");
}

TEST_CASE("a sentence of text becomes source tokens; words spelled as symbols are unknown") {
  const PairData data(corpus_of(three({"a b <eos> <bos>", "x y x y x"}), {}), batching(18, true), 1);
  const Vocabulary& source = *data.corpus().source_vocabulary;
  const auto unk = source.unknown();
  CHECK(data.source_tokens(" b  a z ") == Ids{source.find("b"), source.find("a"), unk, source.end_of_line()});
  CHECK(data.source_tokens("a <eos> <bos> b") ==
        Ids{source.find("a"), unk, unk, source.find("b"), source.end_of_line()});
  CHECK(data.source_tokens("") == Ids{source.end_of_line()});
  Ids first = values(data.training_batch(0).sources);
  first.resize(5);
  CHECK(first == Ids{source.find("a"), source.find("b"), unk, unk, source.end_of_line()});
}

TEST_CASE("a shared vocabulary is that of both sides together") {
  const PairCorpus corpus = corpus_of({{"a b a"}, {"c a"}}, {}, true);
  CHECK(corpus.source_vocabulary == corpus.target_vocabulary);
  CHECK(corpus.source_vocabulary->entries() == std::vector<std::string>{"a", "<eos>", "b", "c", "<bos>", "<unk>"});
  PairCorpus limited;
  make_vocabularies(limited, {{"a b a"}, {"c a"}}, true, {4, 1, false});
  CHECK(limited.source_vocabulary->entries() == std::vector<std::string>{"a", "<eos>", "<bos>", "<unk>"});
}

TEST_CASE("every epoch and every evaluation takes each pair once, in batches whose longer sides keep the bound") {
  const SegmentedPairs pairs = many_pairs();
  for (bool by_length : {false, true}) {
    for (Index most : {66, 200}) {
      CAPTURE(by_length, most);
      const PairData data(corpus_of(pairs, pairs), batching(most, by_length), 1);
      const Vocabulary& source = *data.corpus().source_vocabulary;
      const Vocabulary& target = *data.corpus().target_vocabulary;
      // The numbers of a batch's pairs.
      const auto numbers = [&](const TranslationBatch& batch) {
        std::vector<int> seen;
        Index cost = 0;
        REQUIRE(batch.source_rows.sequences() == batch.target_rows.sequences());
        for (Index i = 0; i < batch.source_rows.sequences(); ++i) {
          const std::string s = source[static_cast<std::int32_t>(batch.sources.at(batch.source_rows.begin(i)))];
          const std::string t = target[static_cast<std::int32_t>(batch.targets.at(batch.target_rows.begin(i)))];
          CHECK(s.substr(1) == t.substr(1));
          seen.push_back(std::stoi(s.substr(1)));
          cost += longer_side(batch, i);
        }
        CHECK(cost <= most);
        return seen;
      };
      std::vector<int> all(pairs.sources.size());
      for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int>(i);
      std::vector<int> evaluated;
      for (Index i = 0; i < data.evaluation_batches(Split::valid); ++i) {
        for (int n : numbers(data.evaluation_batch(Split::valid, i))) evaluated.push_back(n);
      }
      CHECK(evaluated == all);
      std::vector<std::vector<int>> epochs(3);
      for (std::size_t epoch = 0; epoch < 3; ++epoch) {
        for (Index i = 0; i < data.batches_per_epoch(); ++i) {
          const auto index =
              static_cast<std::uint64_t>(i) + epoch * static_cast<std::uint64_t>(data.batches_per_epoch());
          const TranslationBatch batch = data.training_batch(index);
          for (int n : numbers(batch)) epochs[epoch].push_back(n);
          Index shortest = 1000, longest = 0;
          for (Index k = 0; k < batch.source_rows.sequences(); ++k) {
            shortest = std::min(shortest, longer_side(batch, k));
            longest = std::max(longest, longer_side(batch, k));
          }
          if (by_length && most == 66) CHECK(longest - shortest <= 5);
        }
      }
      CHECK(epochs[0] != epochs[1]);
      for (auto& epoch : epochs) {
        std::sort(epoch.begin(), epoch.end());
        CHECK(epoch == all);
      }
    }
  }
}

TEST_CASE("a training batch of pairs is a function of its number and the seed") {
  const PairData one(corpus_of(many_pairs(), {}), batching(100, true), 1);
  const PairData same(corpus_of(many_pairs(), {}), batching(100, true), 1);
  const PairData other(corpus_of(many_pairs(), {}), batching(100, true), 2);
  bool differs = false;
  for (std::uint64_t index : {90u, 3u, 55u, 4u, 3u}) {
    CHECK(values(one.training_batch(index).targets) == values(same.training_batch(index).targets));
    differs = differs || values(one.training_batch(index).targets) != values(other.training_batch(index).targets);
  }
  CHECK(differs);
}

// Batches: what they hold, that evaluation covers a text exactly, and that training is a function of the batch's
// number.
#include "data/batching.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "engine/random.h"
#include "tests/data/files.h"
#include "tests/support/catch.h"

using namespace normlab;

namespace {

// Tokens 1, 2, 3 … with <eos> = 0 in place of every token whose line ends there.
TokenStream stream_of_lines(const std::vector<Index>& lengths) {
  TokenStream stream;
  for (Index length : lengths) {
    for (Index i = 1; i < length; ++i) stream.tokens.push_back(static_cast<std::int32_t>(stream.tokens.size()) + 1);
    stream.tokens.push_back(0);
  }
  return stream;
}

TokenStream long_stream() {
  Random random(7, "lengths");
  std::vector<Index> lengths;
  for (int i = 0; i < 500; ++i) lengths.push_back(1 + random.below(30));  // 1: a blank line
  return stream_of_lines(lengths);
}

ContinuousOptions continuous(Index length, Index sequences) {
  ContinuousOptions options;
  options.sequence_length = length;
  options.sequences = sequences;
  return options;
}

SentencesOptions sentences(Index tokens, bool by_length = false) {
  SentencesOptions options;
  options.tokens_per_batch = tokens;
  options.by_length = by_length;
  return options;
}

std::vector<Index> positions(const std::vector<Span>& spans) {
  std::vector<Index> out;
  for (const Span& span : spans) {
    for (Index t = span.begin; t < span.end; ++t) out.push_back(t);
  }
  return out;
}

std::vector<Index> evaluation_positions(const Batching& batching) {
  std::vector<Index> out;
  for (Index i = 0; i < batching.evaluation_batches(); ++i) {
    for (Index t : positions(batching.evaluation_spans(i))) out.push_back(t);
  }
  return out;
}

std::vector<Index> epoch_positions(const Batching& batching, Index epoch) {
  std::vector<Index> out;
  for (Index i = 0; i < batching.batches_per_epoch(); ++i) {
    for (Index t :
         positions(batching.training_spans(static_cast<std::uint64_t>(epoch * batching.batches_per_epoch() + i)))) {
      out.push_back(t);
    }
  }
  return out;
}

std::vector<std::int32_t> values(const Tensor& tensor) {
  const auto span = tensor.values<std::int32_t>();
  return {span.begin(), span.end()};
}

using Ids = std::vector<std::int32_t>;

}  // namespace

TEST_CASE("a batch packs spans; inputs are the tokens before the targets") {
  const TokenStream stream{{5, 6, 0, 7, 0}, 0};
  const Batch batch = pack(stream, {{3, 5}, {0, 3}});
  CHECK(values(batch.inputs) == Ids{0, 7, 0, 5, 6});
  CHECK(values(batch.targets) == Ids{7, 0, 5, 6, 0});
  CHECK(batch.rows.offsets() == std::vector<Index>{0, 2, 5});
  CHECK(batch.rows.all_count());
}

TEST_CASE("continuous evaluation predicts every token but the first once, in order, for any segment length") {
  const TokenStream stream = stream_of_lines({40, 1, 60});
  std::vector<Index> all(100);
  std::iota(all.begin(), all.end(), Index{1});
  for (Index length : {1, 2, 3, 7, 10, 33, 99, 100, 101, 1000}) {
    for (Index sequences : {1, 2, 5, 64}) {
      const auto batching = continuous(length, sequences).make(stream, "valid", false, 1);
      CAPTURE(length, sequences);
      CHECK(evaluation_positions(*batching) == all);
      CHECK(batching->predicted_tokens() == 100);
      CHECK(batching->longest_sequence() == std::min<Index>(length, 100));
      for (Index i = 0; i < batching->evaluation_batches(); ++i) {
        for (const Span& span : batching->evaluation_spans(i)) CHECK(span.length() <= length);
      }
    }
  }
}

TEST_CASE("continuous training: whole batches of equal segments, no token twice in an epoch") {
  const TokenStream stream = long_stream();
  const auto batching = continuous(16, 4).make(stream, "train", true, 1);
  REQUIRE(batching->batches_per_epoch() == (static_cast<Index>(stream.tokens.size()) - 1) / 64);
  for (Index epoch = 0; epoch < 3; ++epoch) {
    const auto seen = epoch_positions(*batching, epoch);
    CHECK(static_cast<Index>(seen.size()) == batching->batches_per_epoch() * 64);
    CHECK(std::set<Index>(seen.begin(), seen.end()).size() == seen.size());
    CHECK(*std::min_element(seen.begin(), seen.end()) >= 1);
    CHECK(*std::max_element(seen.begin(), seen.end()) < static_cast<Index>(stream.tokens.size()));
  }
  for (const Span& span : batching->training_spans(0)) CHECK(span.length() == 16);
}

TEST_CASE("sentences: every epoch and every evaluation predicts each line once, in batches that keep their bound") {
  const TokenStream stream = long_stream();
  std::vector<Index> all;  // all but the <eos> of blank lines
  for (std::size_t t = 0; t < stream.tokens.size(); ++t) {
    if (stream.tokens[t] != 0 || (t > 0 && stream.tokens[t - 1] != 0)) all.push_back(static_cast<Index>(t));
  }
  for (bool by_length : {false, true}) {
    for (Index tokens : {90, 128, 1000}) {
      const auto batching = sentences(tokens, by_length).make(stream, "train", true, 1);
      CAPTURE(by_length, tokens);
      CHECK(evaluation_positions(*batching) == all);
      CHECK(batching->predicted_tokens() == static_cast<Index>(all.size()));
      for (Index epoch = 0; epoch < 3; ++epoch) {
        auto seen = epoch_positions(*batching, epoch);
        CHECK(seen != all);
        std::sort(seen.begin(), seen.end());
        CHECK(seen == all);
      }
      for (Index i = 0; i < batching->batches_per_epoch(); ++i) {
        const auto spans = batching->training_spans(static_cast<std::uint64_t>(i));
        const auto rows = static_cast<Index>(positions(spans).size());
        CHECK(rows > 0);
        CHECK(rows <= tokens);
        Index shortest = 1000, longest = 0;
        for (const Span& span : spans) {
          CHECK((span.begin == 0 || stream.tokens[static_cast<std::size_t>(span.begin - 1)] == 0));
          CHECK(stream.tokens[static_cast<std::size_t>(span.end - 1)] == 0);
          shortest = std::min(shortest, span.length());
          longest = std::max(longest, span.length());
        }
        if (by_length && tokens == 90) CHECK(longest - shortest <= 3);
      }
    }
  }
}

TEST_CASE("the order differs by epoch and seed, repeats for a seed, and does not depend on the order of calls") {
  const TokenStream stream = long_stream();
  const ContinuousOptions segments = continuous(8, 4);
  const SentencesOptions lines = sentences(100);
  const std::vector<const BatchingOptions*> both = {&segments, &lines};
  for (const BatchingOptions* options : both) {
    const auto one = options->make(stream, "train", true, 1);
    const auto same = options->make(stream, "train", true, 1);
    const auto other = options->make(stream, "train", true, 2);
    CHECK(epoch_positions(*one, 0) != epoch_positions(*one, 1));
    CHECK(epoch_positions(*one, 0) != epoch_positions(*other, 0));
    const auto batches = static_cast<std::uint64_t>(one->batches_per_epoch());
    for (std::uint64_t k = 3 * batches; k-- > 0;) {  // backwards, and across the borders of epochs
      const std::uint64_t index = k * 7 % (3 * batches);
      CHECK(positions(one->training_spans(index)) == positions(same->training_spans(index)));
    }
    const auto fresh = options->make(stream, "train", true, 1);
    CHECK(positions(fresh->training_spans(2 * batches + 1)) == positions(one->training_spans(2 * batches + 1)));
  }
}

TEST_CASE("the start of continuous training moves from epoch to epoch") {
  const TokenStream stream = long_stream();
  const auto batching = continuous(16, 16).make(stream, "train", true, 1);
  std::set<Index> starts;
  for (Index epoch = 0; epoch < 8; ++epoch) {
    const auto seen = epoch_positions(*batching, epoch);
    starts.insert(*std::min_element(seen.begin(), seen.end()));
  }
  CHECK(starts.size() > 3);
}

TEST_CASE("long sentences are an error, or cut with no token lost") {
  const TokenStream stream = stream_of_lines({4, 10, 4, 4, 4, 4, 4, 4});
  SentencesOptions options = sentences(12);
  options.longest_sentence = 4;
  CHECK(message_of([&] { options.make(stream, "train", true, 1); }) ==
        "train text, line 2: a sentence must have at most longest_sentence = 4 tokens, has 10; raise longest_sentence "
        "or set \"long_sentences\": \"cut\"");
  options.long_sentences = "cut";
  const auto batching = options.make(stream, "train", true, 1);
  CHECK(batching->predicted_tokens() == 38);
  CHECK(batching->longest_sequence() == 4);
}

TEST_CASE("a text shorter than one batch is an error with the numbers") {
  const TokenStream stream = stream_of_lines({3, 4});
  CHECK(message_of([&] { continuous(8, 2).make(stream, "train", true, 1); }) ==
        "train text: must hold at least one batch of 2 sequences x 8 tokens + 1 = 17 tokens, has 7; use a longer text, "
        "or smaller sequences or sequence_length");
  CHECK(continuous(8, 2).make(stream, "valid", false, 1)->predicted_tokens() == 6);
  CHECK(message_of([&] { sentences(100).make(stream, "train", true, 1); }) ==
        "train text: must hold at least one batch of tokens_per_batch = 100 tokens, has 7; use a longer text or a "
        "smaller tokens_per_batch");
  CHECK(message_of([&] { sentences(7).make(stream, "train", true, 1); }) ==
        "train text: tokens_per_batch must be at least three times the longest sentence, 3 x 4 tokens, so that "
        "sentences spread evenly over batches, is 7; raise it, or lower longest_sentence");
  CHECK(message_of([&] { sentences(3).make(stream, "valid", false, 1); }) ==
        "valid text: tokens_per_batch must be at least the 4 tokens of the longest sentence, is 3");
  CHECK(message_of([&] { continuous(8, 2).make(stream_of_lines({1}), "test", false, 1); }) ==
        "test text: must hold at least 2 tokens, one to predict from and one to predict, has 1");
  CHECK(message_of([&] {
          sentences(8).make(stream_of_lines({1, 1}), "test", false, 1);
        }) == "test text: must hold at least one line that is not blank, has none");
}

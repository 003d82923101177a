// The two ways of batching. Orders come from Random streams named by the epoch, so that any batch can be made at once.
#include "batching.h"

#include <algorithm>
#include <numeric>

#include "../engine/random.h"

namespace normlab {
namespace {

template <class T>
std::size_t count_of(T n) {
  return static_cast<std::size_t>(n);
}

Random order_of(std::uint64_t seed, std::uint64_t epoch) {
  return Random(random_stream(seed, text("data.order.", epoch)));
}

class Continuous : public Batching {
 public:
  Continuous(const ContinuousOptions& options, const TokenStream& stream, const std::string& name, bool training,
             std::uint64_t seed)
      : Batching(seed), length_(options.sequence_length), sequences_(options.sequences) {
    const auto tokens = static_cast<Index>(stream.tokens.size());
    const Index batch = length_ * sequences_;
    predicted_ = tokens - 1;
    check(predicted_ >= 1, name, " text: must hold at least 2 tokens, one to predict from and one to predict, has ",
          tokens);
    if (training) {
      check(predicted_ >= batch, name, " text: must hold at least one batch of ", sequences_, " sequences x ", length_,
            " tokens + 1 = ", batch + 1, " tokens, has ", tokens,
            "; use a longer text, or smaller sequences or sequence_length");
      batches_per_epoch_ = predicted_ / batch;
    }
    longest_sequence_ = std::min(length_, predicted_);
    for (Index begin = 1; begin < tokens;) {
      auto& spans = evaluation_.emplace_back();
      for (Index i = 0; i < sequences_ && begin < tokens; ++i, begin += length_) {
        spans.push_back({begin, std::min(begin + length_, tokens)});
      }
    }
  }

 private:
  std::vector<std::vector<Span>> draw_epoch(std::uint64_t epoch) const override {
    Random random = order_of(seed(), epoch);
    const Index segments = batches_per_epoch_ * sequences_;
    const Index first = 1 + random.below(predicted_ - segments * length_ + 1);
    std::vector<Index> order(count_of(segments));
    std::iota(order.begin(), order.end(), Index{0});
    random.shuffle(std::span<Index>(order));

    std::vector<std::vector<Span>> batches(count_of(batches_per_epoch_));
    for (std::size_t i = 0; i < order.size(); ++i) {
      const Index begin = first + order[i] * length_;
      batches[i / count_of(sequences_)].push_back({begin, begin + length_});
    }
    return batches;
  }

  Index length_, sequences_, predicted_ = 0;
};

class Sentences : public Batching {
 public:
  Sentences(std::vector<Span> sentences, Index most, bool by_length, const std::string& name, bool training,
            std::uint64_t seed)
      : Batching(seed), by_length_(by_length), sentences_(std::move(sentences)) {
    for (const Span& sentence : sentences_) {
      longest_sequence_ = std::max(longest_sequence_, sentence.length());
      total_ += sentence.length();
    }
    check(!sentences_.empty(), name, " text: must hold at least one line that is not blank, has none");
    check(longest_sequence_ <= most, name, " text: tokens_per_batch must be at least the ", longest_sequence_,
          " tokens of the longest sentence, is ", most);
    if (training) {
      check(total_ >= most, name, " text: must hold at least one batch of tokens_per_batch = ", most, " tokens, has ",
            total_, "; use a longer text or a smaller tokens_per_batch");
      // Then draw_epoch() leaves no batch empty: a share is at least (most - longest + 1) / 2, so at least the longest.
      check(3 * longest_sequence_ <= most, name, " text: tokens_per_batch must be at least three times the longest ",
            "sentence, 3 x ", longest_sequence_, " tokens, so that sentences spread evenly over batches, is ", most,
            "; raise it, or lower longest_sentence");
      const Index share = most - longest_sequence_ + 1;
      batches_per_epoch_ = (total_ + share - 1) / share;
    }
    Index room = 0;
    for (const Span& sentence : sentences_) {
      if (sentence.length() > room) {
        evaluation_.emplace_back();
        room = most;
      }
      evaluation_.back().push_back(sentence);
      room -= sentence.length();
    }
  }

 private:
  // The sentences in their drawn order lie end to end on a line of total_ tokens; batch b takes those that begin in its
  // share [b, b + 1) * total_ / batches. With a share of at most most - longest + 1 tokens, no batch exceeds `most`.
  std::vector<std::vector<Span>> draw_epoch(std::uint64_t epoch) const override {
    Random random = order_of(seed(), epoch);
    std::vector<Span> order = sentences_;
    random.shuffle(std::span<Span>(order));
    if (by_length_) {
      std::stable_sort(order.begin(), order.end(), [](Span a, Span b) { return a.length() < b.length(); });
    }
    std::vector<std::vector<Span>> batches(count_of(batches_per_epoch_));
    Index start = 0;
    for (const Span& sentence : order) {
      batches[count_of(start * batches_per_epoch_ / total_)].push_back(sentence);
      start += sentence.length();
    }
    if (by_length_) random.shuffle(std::span<std::vector<Span>>(batches));
    return batches;
  }

  bool by_length_;
  std::vector<Span> sentences_;
  Index total_ = 0;
};

// The lines of a stream that are not blank, long ones cut into pieces or refused.
std::vector<Span> find_sentences(const SentencesOptions& options, const TokenStream& stream, const std::string& name) {
  const auto tokens = static_cast<Index>(stream.tokens.size());
  const Index limit = options.longest_sentence;
  std::vector<Span> sentences;
  Index line = 0;
  for (Index begin = 0; begin < tokens;) {
    ++line;
    Index end = begin;
    while (end < tokens && stream.tokens[count_of(end)] != stream.end_of_line) ++end;
    const bool blank = end == begin;
    end = std::min(end + 1, tokens);
    check(end - begin <= limit || options.long_sentences == "cut", name, " text, line ", line,
          ": a sentence must have at most longest_sentence = ", limit, " tokens, has ", end - begin,
          "; raise longest_sentence or set \"long_sentences\": \"cut\"");
    for (Index piece = begin; piece < end && !blank; piece += limit) {
      sentences.push_back({piece, std::min(piece + limit, end)});
    }
    begin = end;
  }
  return sentences;
}

}  // namespace

Batch pack(const TokenStream& stream, const std::vector<Span>& spans, const Padding& padding) {
  std::vector<Index> lengths;
  for (const Span& span : spans) lengths.push_back(span.length());
  const std::vector<Index> pads = padding.pads(lengths);
  for (std::size_t i = 0; i < spans.size(); ++i) lengths[i] += pads[i];
  const Rows rows = Rows::of_lengths(lengths);

  Batch batch{Tensor::empty({rows.tokens()}, Dtype::i32), Tensor::empty({rows.tokens()}, Dtype::i32), rows, rows};
  std::int32_t* input = batch.inputs.data<std::int32_t>();
  std::int32_t* target = batch.targets.data<std::int32_t>();
  std::vector<std::uint8_t> predicted;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    for (Index t = spans[i].begin; t < spans[i].end; ++t) {
      *input++ = t == 0 ? stream.end_of_line : stream.tokens[count_of(t - 1)];
      *target++ = stream.tokens[count_of(t)];
    }
    input = std::fill_n(input, pads[i], stream.end_of_line);
    target = std::fill_n(target, pads[i], stream.end_of_line);
    predicted.insert(predicted.end(), count_of(spans[i].length()), 1);
    predicted.insert(predicted.end(), count_of(pads[i]), 0);
  }
  const bool padded = std::any_of(pads.begin(), pads.end(), [](Index n) { return n > 0; });
  if (padded) batch.predicted = Rows(rows.offsets(), std::move(predicted));
  if (!padding.counted) batch.rows = batch.predicted;
  return batch;
}

Index Batching::predicted_tokens() const {
  Index tokens = 0;
  for (const auto& batch : evaluation_) {
    for (const Span& span : batch) tokens += span.length();
  }
  return tokens;
}

std::vector<Span> Batching::training_spans(std::uint64_t index) const {
  check(batches_per_epoch_ > 0,
        "training batch: must come from a split that is trained on, this one is only evaluated");
  const auto per_epoch = static_cast<std::uint64_t>(batches_per_epoch_);
  const std::lock_guard lock(mutex_);
  if (batches_.empty() || epoch_ != index / per_epoch) {
    epoch_ = index / per_epoch;
    batches_ = draw_epoch(epoch_);
  }
  return batches_[index % per_epoch];
}

const std::vector<Span>& Batching::evaluation_spans(Index index) const {
  check(index >= 0 && index < evaluation_batches(), "evaluation batch: index must be in [0, ", evaluation_batches(),
        "), got ", index);
  return evaluation_[count_of(index)];
}

std::unique_ptr<Batching> batch_sentences(std::vector<Span> sentences, Index tokens_per_batch, bool by_length,
                                          const std::string& name, bool training, std::uint64_t seed) {
  return std::make_unique<Sentences>(std::move(sentences), tokens_per_batch, by_length, name, training, seed);
}

void ContinuousOptions::fields(Fields& f) {
  f.integer("sequence_length", sequence_length, {.at_least = 1, .at_most = 1e6}, "predicted tokens of a sequence");
  f.integer("sequences", sequences, {.at_least = 1, .at_most = 1e6}, "sequences of a batch");
}

std::unique_ptr<Batching> ContinuousOptions::make(const TokenStream& stream, const std::string& name, bool training,
                                                  std::uint64_t seed) const {
  return std::make_unique<Continuous>(*this, stream, name, training, seed);
}

void SentencesOptions::fields(Fields& f) {
  f.integer("tokens_per_batch", tokens_per_batch, {.at_least = 1, .at_most = 1e8},
            "most tokens of a batch, pads aside");
  f.integer("longest_sentence", longest_sentence, {.at_least = 1, .at_most = 1e6}, "most tokens of a sentence");
  f.choice("long_sentences", long_sentences, {"error", "cut"},
           "what becomes of longer ones: an error, or cut into pieces that are sequences of their own");
  f.boolean("by_length", by_length, "fill batches with sentences of about equal length");
}

std::unique_ptr<Batching> SentencesOptions::make(const TokenStream& stream, const std::string& name, bool training,
                                                 std::uint64_t seed) const {
  return batch_sentences(find_sentences(*this, stream, name), tokens_per_batch, by_length, name, training, seed);
}

const std::vector<Registered<BatchingOptions>>& registered(const BatchingOptions*) {
  static const std::vector<Registered<BatchingOptions>> all = {
      kind<BatchingOptions, ContinuousOptions>("continuous",
                                               "the text as one stream, cut into segments of equal length"),
      kind<BatchingOptions, SentencesOptions>("sentences", "each line a sequence of its own"),
  };
  return all;
}

}  // namespace normlab

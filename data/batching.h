// Batching: how a stream of tokens becomes batches of packed sequences, as a pure function of a batch's number.
//
// A sequence is a span [begin, end) of stream positions that are predicted; its inputs are the tokens one position
// earlier. So the first input of a line is the <eos> of the line before it, which serves as the begin symbol.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "language.h"
#include "padding.h"

namespace normlab {

// The tokens of one split, every line closed by `end_of_line`.
struct TokenStream {
  std::vector<std::int32_t> tokens;
  std::int32_t end_of_line = 0;
};

// Predicted positions of a stream.
struct Span {
  Index begin = 0;
  Index end = 0;
  Index length() const { return end - begin; }
};

// The spans' tokens packed into one batch, each span followed by its pads. The input at position 0 is <eos>; so are the
// input and the target of a pad, which needs no vocabulary entry since it is never predicted.
Batch pack(const TokenStream& stream, const std::vector<Span>& spans, const Padding& padding = {});

// The batches of one split.
class Batching {
 public:
  explicit Batching(std::uint64_t seed) : seed_(seed) {}
  virtual ~Batching() = default;
  Batching(const Batching&) = delete;
  Batching& operator=(const Batching&) = delete;

  Index longest_sequence() const { return longest_sequence_; }
  Index batches_per_epoch() const { return batches_per_epoch_; }
  Index evaluation_batches() const { return static_cast<Index>(evaluation_.size()); }
  Index predicted_tokens() const;  // by one evaluation

  // Batch `index` since the start of training. Each epoch has an order of its own, drawn from the seed; that of the
  // epoch asked for last is kept. May be called from several threads.
  std::vector<Span> training_spans(std::uint64_t index) const;
  // Fixed, in the order of the text.
  const std::vector<Span>& evaluation_spans(Index index) const;

 protected:
  // All batches of an epoch: exactly batches_per_epoch() of them.
  virtual std::vector<std::vector<Span>> draw_epoch(std::uint64_t epoch) const = 0;
  std::uint64_t seed() const { return seed_; }

  Index longest_sequence_ = 0;
  Index batches_per_epoch_ = 0;  // stays 0 where the split is only evaluated
  std::vector<std::vector<Span>> evaluation_;

 private:
  std::uint64_t seed_;
  mutable std::mutex mutex_;
  mutable std::uint64_t epoch_ = 0;
  mutable std::vector<std::vector<Span>> batches_;  // of epoch_; empty before the first call
};

// A registered way of batching with its options.
struct BatchingOptions {
  virtual ~BatchingOptions() = default;
  virtual void fields(Fields& f) = 0;
  // `name` is the split's name in errors; `training` asks that the stream yield at least one training batch.
  virtual std::unique_ptr<Batching> make(const TokenStream& stream, const std::string& name, bool training,
                                         std::uint64_t seed) const = 0;
};

// Sentences, spans of any line of positions, as batches of whole ones. An epoch takes every sentence once, in an order
// drawn anew, spread evenly over a number of batches such that none exceeds tokens_per_batch; with `by_length` a batch
// holds sentences of about equal length. Evaluation takes them in order.
// Error when there is none, when a batch is too small for the longest, or when `training` lacks one batch.
std::unique_ptr<Batching> batch_sentences(std::vector<Span> sentences, Index tokens_per_batch, bool by_length,
                                          const std::string& name, bool training, std::uint64_t seed);

// The whole text as one stream, cut into segments of equal length. Training begins at a place drawn anew each epoch
// from what a whole number of batches leaves over, and takes the segments in an order drawn anew. Evaluation takes them
// in order, tail included: every token but the very first is predicted once.
struct ContinuousOptions : BatchingOptions {
  std::int64_t sequence_length = 128;  // predicted tokens of a segment
  std::int64_t sequences = 16;         // segments of a batch
  void fields(Fields& f) override;
  std::unique_ptr<Batching> make(const TokenStream& stream, const std::string& name, bool training,
                                 std::uint64_t seed) const override;
};

// Each line is a sequence of its own, see batch_sentences(); blank lines are none. <eos> is predicted.
struct SentencesOptions : BatchingOptions {
  std::int64_t tokens_per_batch = 2048;  // at most, <eos> included, pads aside
  std::int64_t longest_sentence = 512;   // in tokens, <eos> included
  std::string long_sentences = "error";  // what becomes of longer ones: "error" | "cut"
  bool by_length = false;                // batches of lines of about equal length
  void fields(Fields& f) override;
  std::unique_ptr<Batching> make(const TokenStream& stream, const std::string& name, bool training,
                                 std::uint64_t seed) const override;
};

const std::vector<Registered<BatchingOptions>>& registered(const BatchingOptions*);
using BatchingConfig = Choice<BatchingOptions>;

}  // namespace normlab

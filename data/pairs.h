// Pairs of sentences: three splits in two languages with their vocabularies. PairData makes them into the
// TranslationData a trainer sees; pairs from files and made-up ones differ only in where the corpus comes from.
//
// A batch holds at most tokens_per_batch tokens, where a pair counts as its longer side, <eos> included. That is what
// max-tokens means in fairseq, but for its pads: there a batch is rectangular, and its sentences times its longest
// side must stay within the bound. Packed batches fill what would be pads with sentences.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "batching.h"
#include "corpus.h"
#include "segmenter.h"
#include "translation.h"
#include "vocabulary.h"

namespace normlab {

inline constexpr const char* kBeginOfSentence = "<bos>";

// The sentences of one language, end to end.
struct SentenceList {
  std::vector<std::int32_t> tokens;
  std::vector<Index> offsets = {0};  // sentence i holds the tokens [offsets[i], offsets[i + 1])

  Index size() const { return static_cast<Index>(offsets.size()) - 1; }
  Index longest() const;  // in tokens; 0 when there is none
  std::span<const std::int32_t> operator[](Index i) const;
  void add(std::span<const std::int32_t> sentence);
};

struct PairSplit {
  SentenceList sources, targets;          // each sentence ends in <eos>; none: there is no such split
  std::vector<std::string> target_lines;  // as read
};

struct PairCorpus {
  std::shared_ptr<const Vocabulary> source_vocabulary, target_vocabulary;  // one and the same when it is shared
  Segmenter source_segmenter, target_segmenter;
  std::array<PairSplit, 3> splits;  // train, valid, test
  std::string origin;               // for the summary: what was read or made
  std::string left_out;             // … and which training pairs were not taken; may be empty
  std::optional<double> entropy;    // of a target token given the source; see Data
  const PairSplit& operator[](Split split) const { return splits[static_cast<std::size_t>(split)]; }
  PairSplit& operator[](Split split) { return splits[static_cast<std::size_t>(split)]; }
};

// Pairs of segmented sentences: tokens with blanks between.
struct SegmentedPairs {
  std::vector<std::string> sources, targets;
};

// The vocabularies of the training pairs, <bos>, <eos> and <unk> included. With `shared` both are one.
void make_vocabularies(PairCorpus& corpus, const SegmentedPairs& train, bool shared, const VocabularyLimits& limits);
// The tokens of the sentence and <eos>. A token that is no entry is <unk>, and so is one that is spelled as a symbol.
std::vector<std::int32_t> encode(const Vocabulary& vocabulary, const std::string& segmented);
// The pairs by the corpus's vocabularies. `target_lines` are the target sentences as read.
PairSplit encode(const PairCorpus& corpus, const SegmentedPairs& pairs, std::vector<std::string> target_lines);

struct PairBatching {
  std::int64_t tokens_per_batch = 4096;
  bool by_length = true;
  void fields(Fields& f);
};

class PairData : public TranslationData {
 public:
  // Error when the training text is shorter than one batch, or a batch too small for the longest sentence.
  PairData(PairCorpus corpus, const PairBatching& batching, std::uint64_t seed);

  Index source_vocabulary_size() const override { return corpus_.source_vocabulary->size(); }
  Index target_vocabulary_size() const override { return corpus_.target_vocabulary->size(); }
  bool shared_vocabulary() const override { return corpus_.source_vocabulary == corpus_.target_vocabulary; }
  Index longest_source() const override;
  Index longest_target() const override;
  std::int32_t begin_symbol() const override { return begin_; }
  std::int32_t end_symbol() const override { return corpus_.target_vocabulary->end_of_line(); }
  Index batches_per_epoch() const override { return of(Split::train)->batches_per_epoch(); }
  Index evaluation_batches(Split split) const override;
  TranslationBatch training_batch(std::uint64_t index) const override;
  TranslationBatch evaluation_batch(Split split, Index index) const override;
  std::optional<double> entropy(Split split) const override;
  std::string fingerprint() const override;
  std::string summary() const override;

  std::vector<std::string> references(Split split, Index index, TextForm form) const override;
  std::string target_text(const std::vector<std::int32_t>& tokens, TextForm form) const override;
  bool lowercase() const override { return corpus_.target_segmenter.lowercase(); }
  std::vector<std::int32_t> source_tokens(const std::string& sentence) const override;

  const PairCorpus& corpus() const { return corpus_; }

 private:
  const std::unique_ptr<Batching>& of(Split split) const { return batching_[static_cast<std::size_t>(split)]; }
  std::vector<Index> pairs_of(Split split, const std::vector<Span>& spans) const;
  const std::vector<Span>& evaluation_spans(Split split, Index index) const;
  TranslationBatch pack(Split split, const std::vector<Span>& spans) const;

  PairCorpus corpus_;
  std::int32_t begin_;
  // Batching sees each pair as a span of as many places on a line as its longer side has tokens.
  std::array<std::vector<Index>, 3> places_;           // where the span of each pair begins
  std::array<std::unique_ptr<Batching>, 3> batching_;  // null where there is no such split
  mutable std::mutex mutex_;                           // one sentence at a time is segmented
};

}  // namespace normlab

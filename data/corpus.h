// Corpus: the tokens of three splits and their vocabulary. CorpusData makes them into the LanguageData a trainer sees;
// text from files and made-up text differ only in where the corpus comes from.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "batching.h"
#include "language.h"
#include "vocabulary.h"

namespace normlab {

struct SplitText {
  TokenStream stream;             // no tokens: there is no such split
  std::vector<double> surprisal;  // made-up text: the generator's -ln p of each token given the past; else empty
};

struct Corpus {
  Vocabulary vocabulary;
  std::array<SplitText, 3> splits;  // train, valid, test
  std::string origin;               // for the summary: what was read or made
  const SplitText& operator[](Split split) const { return splits[static_cast<std::size_t>(split)]; }
};

class CorpusData : public LanguageData {
 public:
  // Error when the training text is shorter than one batch, or a split has nothing to predict.
  CorpusData(Corpus corpus, const BatchingConfig& batching, std::uint64_t seed, const Padding& padding = {});

  Index vocabulary_size() const override { return corpus_.vocabulary.size(); }
  Index longest_sequence() const override;
  Index batches_per_epoch() const override { return of(Split::train)->batches_per_epoch(); }
  Batch training_batch(std::uint64_t index) const override;
  Index evaluation_batches(Split split) const override;
  Batch evaluation_batch(Split split, Index index) const override;
  std::optional<double> entropy(Split split) const override;
  std::string fingerprint() const override;
  std::string summary() const override;

  const Corpus& corpus() const { return corpus_; }

 private:
  const std::unique_ptr<Batching>& of(Split split) const { return batching_[static_cast<std::size_t>(split)]; }
  double share_of_pads() const;  // in the first epoch
  Padding padding_of(Split split, std::uint64_t batch) const;
  Corpus corpus_;
  Padding padding_;
  std::uint64_t seed_;
  std::array<std::unique_ptr<Batching>, 3> batching_;  // null where there is no such split
};

}  // namespace normlab

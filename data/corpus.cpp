// CorpusData: see the header.
#include "corpus.h"

#include <algorithm>
#include <cmath>

#include "hash.h"

namespace normlab {

CorpusData::CorpusData(Corpus corpus, const BatchingConfig& batching, std::uint64_t seed, const Padding& padding)
    : corpus_(std::move(corpus)), padding_(padding), seed_(seed) {
  for (Split split : kSplits) {
    const TokenStream& stream = corpus_[split].stream;
    const bool training = split == Split::train;
    if (stream.tokens.empty() && !training) continue;
    batching_[static_cast<std::size_t>(split)] = batching->make(stream, name_of(split), training, seed);
  }
}

Index CorpusData::longest_sequence() const {
  Index longest = 0;
  for (const auto& batching : batching_) {
    if (batching) longest = std::max(longest, batching->longest_sequence());
  }
  return padding_.longest_padded(longest);
}

Batch CorpusData::training_batch(std::uint64_t index) const {
  return pack(corpus_[Split::train].stream, of(Split::train)->training_spans(index), padding_of(Split::train, index));
}

Index CorpusData::evaluation_batches(Split split) const { return of(split) ? of(split)->evaluation_batches() : 0; }

Batch CorpusData::evaluation_batch(Split split, Index index) const {
  check(of(split) != nullptr, "evaluation batch: needs a ", name_of(split), " text, there is none");
  return pack(corpus_[split].stream, of(split)->evaluation_spans(index),
              padding_of(split, static_cast<std::uint64_t>(index)));
}

std::optional<double> CorpusData::entropy(Split split) const {
  const std::vector<double>& surprisal = corpus_[split].surprisal;
  if (surprisal.empty() || !of(split)) return std::nullopt;
  double sum = 0;
  for (Index i = 0; i < of(split)->evaluation_batches(); ++i) {
    for (const Span& span : of(split)->evaluation_spans(i)) {
      for (Index t = span.begin; t < span.end; ++t) sum += surprisal[static_cast<std::size_t>(t)];
    }
  }
  return sum / static_cast<double>(of(split)->predicted_tokens());
}

Padding CorpusData::padding_of(Split split, std::uint64_t batch) const {
  return padding_.of_batch(Random(random_stream(seed_, text("data.padding.", name_of(split)), batch)));
}

double CorpusData::share_of_pads() const {
  Index rows = 0, tokens = 0;
  for (Index i = 0; i < batches_per_epoch(); ++i) {
    const Batch batch = training_batch(static_cast<std::uint64_t>(i));
    rows += batch.predicted.tokens();
    tokens += batch.predicted.counted();
  }
  return static_cast<double>(rows - tokens) / static_cast<double>(rows);
}

std::string CorpusData::fingerprint() const {
  Hash hash;
  for (Split split : kSplits) hash.add(corpus_[split].stream.tokens);
  return hash.text();
}

std::string CorpusData::summary() const {
  std::string out = text(corpus_.origin, "; ");
  for (Split split : kSplits) {
    if (of(split)) out += text(name_of(split), " ", corpus_[split].stream.tokens.size(), ", ");
  }
  out += text("vocabulary ", vocabulary_size());
  if (padding_.kind == "none") return out;
  return out + text("; ", std::round(1000 * share_of_pads()) / 10, " % of the training rows are pads, ",
                    padding_.counted ? "counted" : "not counted", " by norms");
}

}  // namespace normlab

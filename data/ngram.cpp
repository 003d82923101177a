// Counting and looking up pairs of adjacent tokens.
#include "ngram.h"

#include <algorithm>
#include <cmath>

namespace normlab {
namespace {

std::size_t place(std::int32_t id) { return static_cast<std::size_t>(id); }

// Calls visit(input, target) for every predicted token of a split.
template <class Visit>
void for_each_pair(const LanguageData& data, Split split, Visit visit) {
  for (Index i = 0; i < data.evaluation_batches(split); ++i) {
    const Batch batch = data.evaluation_batch(split, i);
    const auto* input = batch.inputs.data<std::int32_t>();
    const auto* target = batch.targets.data<std::int32_t>();
    for (Index row = 0; row < batch.predicted.tokens(); ++row) {
      if (batch.predicted.counts(row)) visit(input[row], target[row]);
    }
  }
}

// How much to take off each count so that what is not seen gets as much as the counts of 1 and 2 foretell.
class DiscountEstimate {
 public:
  void see(Index count) {
    if (count == 1) ++ones_;
    if (count == 2) ++twos_;
  }
  double value() const {
    if (ones_ == 0) return 0.5;
    return static_cast<double>(ones_) / static_cast<double>(ones_ + 2 * std::max<Index>(twos_, 1));
  }

 private:
  Index ones_ = 0, twos_ = 0;
};

}  // namespace

Unigram::Unigram(const LanguageData& data) : counts_(static_cast<std::size_t>(data.vocabulary_size())) {
  for_each_pair(data, Split::train, [&](std::int32_t, std::int32_t target) {
    ++counts_[place(target)];
    ++tokens_;
  });
}

double Unigram::probability(std::int32_t word) const {
  const auto count = static_cast<double>(counts_[place(word)]);
  return (count + 0.5) / (static_cast<double>(tokens_) + 0.5 * static_cast<double>(counts_.size()));
}

Bigram::Bigram(const LanguageData& data) {
  const auto vocabulary = static_cast<std::size_t>(data.vocabulary_size());
  history_.resize(vocabulary);
  predecessors_.resize(vocabulary);
  first_.resize(vocabulary + 1);

  std::vector<std::uint64_t> seen;
  for_each_pair(data, Split::train, [&](std::int32_t input, std::int32_t target) {
    seen.push_back(static_cast<std::uint64_t>(input) << 32 | static_cast<std::uint64_t>(target));
    ++history_[place(input)];
  });
  std::sort(seen.begin(), seen.end());

  DiscountEstimate discount, continuation_discount;
  for (std::size_t i = 0; i < seen.size();) {
    const std::size_t begin = i;
    while (i < seen.size() && seen[i] == seen[begin]) ++i;
    const Pair pair{static_cast<std::int32_t>(seen[begin] >> 32), static_cast<std::int32_t>(seen[begin] & 0xFFFFFFFF),
                    static_cast<Index>(i - begin)};
    pairs_.push_back(pair);
    ++first_[place(pair.previous) + 1];
    ++predecessors_[place(pair.word)];
    discount.see(pair.count);
  }
  for (std::size_t v = 0; v < vocabulary; ++v) first_[v + 1] += first_[v];
  for (Index count : predecessors_) {
    continuation_discount.see(count);
    if (count > 0) ++words_;
  }
  discount_ = discount.value();
  continuation_discount_ = continuation_discount.value();
}

double Bigram::continuation(std::int32_t word) const {
  const auto total = static_cast<double>(pairs_.size());
  const double own = std::max(static_cast<double>(predecessors_[place(word)]) - continuation_discount_, 0.0);
  const double spread =
      continuation_discount_ * static_cast<double>(words_) / static_cast<double>(predecessors_.size());
  return (own + spread) / total;
}

Index Bigram::pair_count(std::int32_t previous, std::int32_t word) const {
  const auto begin = pairs_.begin() + first_[place(previous)], end = pairs_.begin() + first_[place(previous) + 1];
  const auto found = std::lower_bound(begin, end, word, [](const Pair& pair, std::int32_t w) { return pair.word < w; });
  return found != end && found->word == word ? found->count : 0;
}

double Bigram::probability(std::int32_t previous, std::int32_t word) const {
  const double backed_off = continuation(word);
  const auto history = static_cast<double>(history_[place(previous)]);
  if (history == 0) return backed_off;
  const auto followers = static_cast<double>(first_[place(previous) + 1] - first_[place(previous)]);
  const double own = std::max(static_cast<double>(pair_count(previous, word)) - discount_, 0.0);
  return (own + discount_ * followers * backed_off) / history;
}

NgramPerplexity ngram_perplexity(const LanguageData& data, Split split) {
  const Unigram unigram(data);
  const Bigram bigram(data);
  NgramPerplexity result;
  double unigram_sum = 0, bigram_sum = 0;
  for_each_pair(data, split, [&](std::int32_t input, std::int32_t target) {
    unigram_sum -= std::log(unigram.probability(target));
    bigram_sum -= std::log(bigram.probability(input, target));
    ++result.tokens;
  });
  check(result.tokens > 0, "n-gram perplexity: needs a split with predicted tokens, this one has none");
  result.unigram = std::exp(unigram_sum / static_cast<double>(result.tokens));
  result.bigram = std::exp(bigram_sum / static_cast<double>(result.tokens));
  return result;
}

}  // namespace normlab

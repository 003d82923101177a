// PairData: see the header.
#include "pairs.h"

#include <algorithm>

#include "hash.h"

namespace normlab {

Index SentenceList::longest() const {
  Index longest = 0;
  for (std::size_t i = 1; i < offsets.size(); ++i) longest = std::max(longest, offsets[i] - offsets[i - 1]);
  return longest;
}

std::span<const std::int32_t> SentenceList::operator[](Index i) const {
  const auto begin = static_cast<std::size_t>(offsets[static_cast<std::size_t>(i)]);
  const auto end = static_cast<std::size_t>(offsets[static_cast<std::size_t>(i) + 1]);
  return {tokens.data() + begin, end - begin};
}

void SentenceList::add(std::span<const std::int32_t> sentence) {
  tokens.insert(tokens.end(), sentence.begin(), sentence.end());
  offsets.push_back(static_cast<Index>(tokens.size()));
}

void make_vocabularies(PairCorpus& corpus, const SegmentedPairs& train, bool shared, const VocabularyLimits& limits) {
  UnitCounts source, target;
  const auto count = [](UnitCounts& counts, const std::vector<std::string>& sentences) {
    for (const std::string& sentence : sentences) {
      for_each_word(sentence, [&](std::string_view token) { counts.add(token); });
      counts.add(kEndOfLine);
    }
  };
  count(source, train.sources);
  count(shared ? source : target, train.targets);
  const std::vector<std::string> symbols = {kBeginOfSentence, kEndOfLine, kUnknown};
  corpus.source_vocabulary = std::make_shared<Vocabulary>(source.vocabulary(limits, symbols));
  corpus.target_vocabulary =
      shared ? corpus.source_vocabulary : std::make_shared<Vocabulary>(target.vocabulary(limits, symbols));
}

std::vector<std::int32_t> encode(const Vocabulary& vocabulary, const std::string& segmented) {
  std::vector<std::int32_t> ids;
  for_each_word(segmented, [&](std::string_view token) {
    std::int32_t id = vocabulary.find(token);
    if (id < 0 || token == kEndOfLine || token == kBeginOfSentence) id = vocabulary.unknown();
    ids.push_back(id);
  });
  ids.push_back(vocabulary.end_of_line());
  return ids;
}

PairSplit encode(const PairCorpus& corpus, const SegmentedPairs& pairs, std::vector<std::string> target_lines) {
  PairSplit split;
  for (const std::string& sentence : pairs.sources) split.sources.add(encode(*corpus.source_vocabulary, sentence));
  for (const std::string& sentence : pairs.targets) split.targets.add(encode(*corpus.target_vocabulary, sentence));
  split.target_lines = std::move(target_lines);
  return split;
}

void PairBatching::fields(Fields& f) {
  f.integer("tokens_per_batch", tokens_per_batch, {.at_least = 1, .at_most = 1e8},
            "most tokens of a batch, where a pair counts as its longer side, <eos> included");
  f.boolean("by_length", by_length, "fill batches with pairs of about equal length");
}

PairData::PairData(PairCorpus corpus, const PairBatching& batching, std::uint64_t seed)
    : corpus_(std::move(corpus)), begin_(corpus_.target_vocabulary->find(kBeginOfSentence)) {
  for (Split split : kSplits) {
    const auto& [sources, targets, lines] = corpus_[split];
    const bool training = split == Split::train;
    if (sources.size() == 0 && !training) continue;
    std::vector<Span> spans;
    Index place = 0;
    for (Index i = 0; i < sources.size(); ++i) {
      const auto longer = static_cast<Index>(std::max(sources[i].size(), targets[i].size()));
      spans.push_back({place, place + longer});
      places_[static_cast<std::size_t>(split)].push_back(place);
      place += longer;
    }
    batching_[static_cast<std::size_t>(split)] = batch_sentences(std::move(spans), batching.tokens_per_batch,
                                                                 batching.by_length, name_of(split), training, seed);
  }
}

Index PairData::longest_source() const {
  Index longest = 0;
  for (Split split : kSplits) longest = std::max(longest, corpus_[split].sources.longest());
  return longest;
}

Index PairData::longest_target() const {
  Index longest = 0;
  for (Split split : kSplits) longest = std::max(longest, corpus_[split].targets.longest());
  return longest;
}

Index PairData::evaluation_batches(Split split) const { return of(split) ? of(split)->evaluation_batches() : 0; }

TranslationBatch PairData::training_batch(std::uint64_t index) const {
  return pack(Split::train, of(Split::train)->training_spans(index));
}

TranslationBatch PairData::evaluation_batch(Split split, Index index) const {
  return pack(split, evaluation_spans(split, index));
}

const std::vector<Span>& PairData::evaluation_spans(Split split, Index index) const {
  check(of(split) != nullptr, "evaluation batch: needs ", name_of(split), " pairs, there are none");
  return of(split)->evaluation_spans(index);
}

std::vector<Index> PairData::pairs_of(Split split, const std::vector<Span>& spans) const {
  const std::vector<Index>& places = places_[static_cast<std::size_t>(split)];
  std::vector<Index> pairs;
  for (const Span& span : spans) {
    pairs.push_back(std::lower_bound(places.begin(), places.end(), span.begin) - places.begin());
  }
  return pairs;
}

TranslationBatch PairData::pack(Split split, const std::vector<Span>& spans) const {
  const auto& [source_list, target_list, lines] = corpus_[split];
  SentenceList sources, targets;
  for (Index pair : pairs_of(split, spans)) {
    sources.add(source_list[pair]);
    targets.add(target_list[pair]);
  }
  const Rows target_rows(targets.offsets);
  TranslationBatch batch{Tensor::empty({static_cast<Index>(sources.tokens.size())}, Dtype::i32), Rows(sources.offsets),
                         Tensor::empty({target_rows.tokens()}, Dtype::i32),
                         Tensor::empty({target_rows.tokens()}, Dtype::i32), target_rows};
  std::copy(sources.tokens.begin(), sources.tokens.end(), batch.sources.data<std::int32_t>());
  std::copy(targets.tokens.begin(), targets.tokens.end(), batch.targets.data<std::int32_t>());
  std::int32_t* input = batch.inputs.data<std::int32_t>();
  for (Index i = 0; i < targets.size(); ++i) {
    *input++ = begin_;
    input = std::copy(targets[i].begin(), targets[i].end() - 1, input);
  }
  return batch;
}

std::optional<double> PairData::entropy(Split split) const { return of(split) ? corpus_.entropy : std::nullopt; }

std::string PairData::fingerprint() const {
  Hash hash;
  for (Split split : kSplits) {
    const auto& [sources, targets, lines] = corpus_[split];
    for (const SentenceList* list : {&sources, &targets}) hash.add(list->tokens).add(list->offsets);
    for (const std::string& line : lines) hash.add(line);
  }
  return hash.text();
}

std::string PairData::summary() const {
  std::string out = text(corpus_.origin, "; ");
  for (Split split : kSplits) {
    const auto& [sources, targets, lines] = corpus_[split];
    if (!of(split)) continue;
    out += text(name_of(split), " ", sources.size(), " pairs of ", sources.tokens.size(), " and ",
                targets.tokens.size(), " tokens, ");
  }
  out += shared_vocabulary() ? text("one vocabulary of ", source_vocabulary_size())
                             : text("vocabularies of ", source_vocabulary_size(), " and ", target_vocabulary_size());
  return corpus_.left_out.empty() ? out : text(out, "; left out of training: ", corpus_.left_out);
}

std::vector<std::string> PairData::references(Split split, Index index, TextForm form) const {
  std::vector<std::string> sentences;
  for (Index pair : pairs_of(split, evaluation_spans(split, index))) {
    sentences.push_back(
        corpus_.target_segmenter.respell(corpus_[split].target_lines[static_cast<std::size_t>(pair)], form));
  }
  return sentences;
}

std::string PairData::target_text(const std::vector<std::int32_t>& tokens, TextForm form) const {
  std::string segmented;
  for (std::int32_t token : tokens) {
    if (token == end_symbol()) break;
    check(token >= 0 && token < target_vocabulary_size(), "target text: tokens must be in [0, ",
          target_vocabulary_size(), "), got ", token);
    segmented += (segmented.empty() ? "" : " ") + (*corpus_.target_vocabulary)[token];
  }
  return corpus_.target_segmenter.join(segmented, form);
}

std::vector<std::int32_t> PairData::source_tokens(const std::string& sentence) const {
  const Segmenter& segmenter = corpus_.source_segmenter;
  const std::lock_guard lock(mutex_);
  return encode(*corpus_.source_vocabulary, segmenter.tokens(segmenter.words(sentence)));
}

}  // namespace normlab

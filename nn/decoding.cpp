// Greedy and beam search: see the header for the rule.
#include "decoding.h"

#include <algorithm>
#include <cmath>

#include "../engine/ops/softmax.h"
#include "../engine/parallel.h"
#include "../engine/tape.h"

namespace normlab {
namespace {

// A hypothesis that may go on.
struct Live {
  std::vector<std::int32_t> tokens = {};
  std::vector<double> log_probabilities = {};
  double sum = 0;    // of log_probabilities
  Index parent = 0;  // its place among all live hypotheses of the step before
};

struct Sentence {
  Index longest = 0;  // the most tokens, <eos> not counted
  std::vector<Live> live = {Live{}};
  std::vector<Hypothesis> finished = {};
};

struct Choice {
  double log_probability;
  std::int32_t token;
};

// The `count` likeliest tokens of a row, best first, ties by lower token.
template <class T>
std::vector<Choice> likeliest(const T* log_probabilities, Index vocabulary, std::size_t count) {
  std::vector<Choice> best;
  for (Index token = 0; token < vocabulary; ++token) {
    const auto value = static_cast<double>(log_probabilities[token]);
    if (best.size() == count) {
      if (value <= best.back().log_probability) continue;
      best.pop_back();
    }
    const auto place = std::upper_bound(best.begin(), best.end(), value,
                                        [](double v, const Choice& choice) { return v > choice.log_probability; });
    best.insert(place, {value, static_cast<std::int32_t>(token)});
  }
  return best;
}

// The same of each row.
std::vector<std::vector<Choice>> likeliest(const Tensor& log_probabilities, std::size_t count) {
  const Index rows = log_probabilities.rows(), vocabulary = log_probabilities.columns();
  std::vector<std::vector<Choice>> result(static_cast<std::size_t>(rows));
  visit_real("decoding", log_probabilities.dtype(), [&]<class T>() {
    const T* all = log_probabilities.data<T>();
    parallel_rows(rows, vocabulary, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        result[static_cast<std::size_t>(i)] = likeliest(all + i * vocabulary, vocabulary, count);
      }
    });
  });
  return result;
}

// One step of one sentence, whose live hypotheses have the rows from first_row on. `choices` are the beam + 1 likeliest
// tokens of each row: of them at least `beam` are not <eos>, and no more can be needed of one hypothesis.
void advance(Sentence& sentence, Index first_row, const Tensor& log_probabilities,
             const std::vector<std::vector<Choice>>& choices, Index eos, const DecodingOptions& options) {
  const auto beam = static_cast<std::size_t>(options.beam);
  const auto length = static_cast<Index>(sentence.live.front().tokens.size());
  const bool last = length >= sentence.longest, may_end = last || length >= options.min_length;

  struct Continuation {
    double sum;
    std::size_t hypothesis;
    Choice choice;
  };
  std::vector<Continuation> ranked;
  for (std::size_t i = 0; i < sentence.live.size(); ++i) {
    const Index row = first_row + static_cast<Index>(i);
    const auto add = [&](const Choice& choice) {
      ranked.push_back({sentence.live[i].sum + choice.log_probability, i, choice});
    };
    if (last) {
      add({log_probabilities.at(row * log_probabilities.columns() + eos), static_cast<std::int32_t>(eos)});
      continue;
    }
    for (const Choice& choice : choices[static_cast<std::size_t>(row)]) {
      if (choice.token != eos || may_end) add(choice);
    }
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const Continuation& a, const Continuation& b) { return a.sum > b.sum; });

  std::vector<Live> next;
  for (std::size_t rank = 0; rank < ranked.size() && next.size() < beam; ++rank) {
    const auto& [sum, hypothesis, choice] = ranked[rank];
    const bool ends = choice.token == eos;
    if (ends && (rank >= beam || sentence.finished.size() == beam)) continue;
    Live grown = sentence.live[hypothesis];
    grown.tokens.push_back(choice.token);
    grown.log_probabilities.push_back(choice.log_probability);
    grown.sum = sum;
    grown.parent = first_row + static_cast<Index>(hypothesis);
    if (ends) {
      const double score = sum / std::pow(static_cast<double>(length + 1), options.length_penalty);
      sentence.finished.push_back({std::move(grown.tokens), std::move(grown.log_probabilities), score});
    } else {
      next.push_back(std::move(grown));
    }
  }
  if (sentence.finished.size() == beam) next.clear();
  sentence.live = std::move(next);
}

}  // namespace

void DecodingOptions::fields(Fields& f) {
  f.integer("beam", beam, {.at_least = 1, .at_most = 1000}, "hypotheses kept for each sentence; 1 is greedy search");
  f.real("length_penalty", length_penalty, {.at_least = 0, .at_most = 100},
         "hypotheses are compared by log-probability / tokens^length_penalty");
  f.real("length_factor", length_factor, {.at_least = 0, .at_most = 1000},
         "a translation has at most length_factor * source tokens + length_offset tokens");
  f.integer("length_offset", length_offset, {.at_least = 0, .at_most = 1000000}, "see length_factor");
  f.integer("min_length", min_length, {.at_least = 0, .at_most = 1000000}, "the fewest tokens of a translation");
}

std::vector<std::vector<Hypothesis>> decode(const TranslationModel& model, const Tensor& source,
                                            const Rows& source_rows, Index first, Index eos,
                                            const DecodingOptions& options) {
  check(!Tape::current(), "decoding: no tape must be alive, got one; it would keep every step");
  check(options.beam >= 1, "decoding: the beam must be at least 1, got ", options.beam);
  check(eos >= 0 && eos < model.extents().target_vocabulary, "decoding: <eos> must be in [0, ",
        model.extents().target_vocabulary, "), got ", eos);

  std::vector<Sentence> sentences;
  for (Index i = 0; i < source_rows.sequences(); ++i) {
    const double longest =
        options.length_factor * static_cast<double>(source_rows.length(i)) + static_cast<double>(options.length_offset);
    const auto positions = static_cast<double>(model.extents().longest_target - 1);
    sentences.push_back({.longest = static_cast<Index>(std::min(longest, positions))});
  }

  DecoderCache cache = model.start(source, source_rows);
  while (true) {
    std::vector<Index> live;
    std::vector<std::int32_t> inputs;
    std::vector<Index> parents;
    for (const Sentence& sentence : sentences) {
      live.push_back(static_cast<Index>(sentence.live.size()));
      for (const Live& hypothesis : sentence.live) {
        inputs.push_back(hypothesis.tokens.empty() ? static_cast<std::int32_t>(first) : hypothesis.tokens.back());
        parents.push_back(hypothesis.parent);
      }
    }
    if (inputs.empty()) break;
    const Beams beams{Rows::of_lengths(live), std::move(parents)};
    const Tensor logits = model.step(Tensor::from({beams.hypotheses.tokens()}, inputs), beams, cache);
    if (!logits.all_finite()) throw NotFinite("decoding: logits must be finite, got NaN or infinity");
    const Tensor log_probabilities = log_softmax(logits);
    const auto choices = likeliest(log_probabilities, static_cast<std::size_t>(options.beam) + 1);
    for (std::size_t i = 0; i < sentences.size(); ++i) {
      if (sentences[i].live.empty()) continue;
      advance(sentences[i], beams.hypotheses.begin(static_cast<Index>(i)), log_probabilities, choices, eos, options);
    }
  }

  std::vector<std::vector<Hypothesis>> results;
  for (Sentence& sentence : sentences) {
    std::stable_sort(sentence.finished.begin(), sentence.finished.end(),
                     [](const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; });
    results.push_back(std::move(sentence.finished));
  }
  return results;
}

}  // namespace normlab

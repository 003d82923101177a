// Decoding against a plain search, which computes the whole model anew for each hypothesis, and against all sequences.
#include "nn/decoding.h"

#include <limits>

#include "tests/nn/support.h"

using namespace normlab;

namespace {

using Ids = std::vector<std::int32_t>;
constexpr std::int32_t kFirst = 0, kEos = 2;
constexpr TranslationExtents kExtents{11, 11, 8, 12};

double tolerance(Dtype dtype) { return dtype == Dtype::f64 ? 1e-12 : 1e-5; }

// Batch norm in the encoder, with running statistics that are not those of a new model. Layer norms of fewer features
// would now and then make much of the rounding of f32.
std::unique_ptr<TranslationModel> make_model(Dtype dtype, Placement placement) {
  TranslationModelConfig config = small_translation_config(placement);
  config.encoder.norm.set("batch");
  config.encoder.width = config.decoder.width = 16;
  Init init;
  init.dtype = dtype;
  auto model = std::make_unique<TranslationModel>(init, config, kExtents);
  shake(*model);
  for (Named& buffer : model->buffers()) {
    for (Index i = 0; i < buffer.tensor.size(); ++i) {
      buffer.tensor.set(i, buffer.tensor.at(i) + 0.1 * static_cast<double>(i));
    }
  }
  return model;
}

Ids source_of(Index sentence, Index length) {
  const Tensor ids = random_ids(length, 11, text("sentence ", sentence));
  return {ids.values<std::int32_t>().begin(), ids.values<std::int32_t>().end()};
}

const std::vector<Ids> kSources = {source_of(0, 5), source_of(1, 1), source_of(2, 8),
                                   source_of(3, 3), source_of(4, 6), source_of(5, 2)};

std::vector<std::vector<Hypothesis>> decode_together(const TranslationModel& model, const std::vector<Ids>& sources,
                                                     const DecodingOptions& options, std::int32_t eos = kEos) {
  Ids ids;
  std::vector<Index> lengths;
  for (const Ids& source : sources) {
    ids.insert(ids.end(), source.begin(), source.end());
    lengths.push_back(static_cast<Index>(source.size()));
  }
  return decode(model, Tensor::from({static_cast<Index>(ids.size())}, ids), Rows::of_lengths(lengths), kFirst, eos,
                options);
}

// log p(next token | source, tokens) of every token, by the whole model and with nothing kept.
std::vector<double> next_log_probabilities(const TranslationModel& model, const Ids& source, const Ids& tokens) {
  Ids inputs{kFirst};
  inputs.insert(inputs.end(), tokens.begin(), tokens.end());
  const auto tensor = [](const Ids& ids) { return Tensor::from({static_cast<Index>(ids.size())}, ids); };
  const auto rows = [](const Ids& ids) { return Rows::single(static_cast<Index>(ids.size())); };
  const Tensor logits = model.logits(tensor(source), rows(source), tensor(inputs), rows(inputs), {});
  std::vector<double> result;
  double sum = 0;
  for (Index j = logits.size() - logits.columns(); j < logits.size(); ++j) {
    result.push_back(logits.at(j));
    sum += std::exp(logits.at(j));
  }
  for (double& value : result) value -= std::log(sum);
  return result;
}

Hypothesis extended(Hypothesis hypothesis, std::int32_t token, double log_probability) {
  hypothesis.tokens.push_back(token);
  hypothesis.log_probabilities.push_back(log_probability);
  return hypothesis;
}

double sum_of(const Hypothesis& hypothesis) {
  double sum = 0;
  for (const double value : hypothesis.log_probabilities) sum += value;
  return sum;
}

void sort_by_score(std::vector<Hypothesis>& hypotheses, double length_penalty) {
  for (Hypothesis& h : hypotheses) h.score = sum_of(h) / std::pow(static_cast<double>(h.tokens.size()), length_penalty);
  std::stable_sort(hypotheses.begin(), hypotheses.end(),
                   [](const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; });
}

// The rule of decoding.h word by word for one sentence: all continuations, of which those that are not allowed have the
// log-probability minus infinity, and of the best 2 * beam of them what fairseq makes.
std::vector<Hypothesis> plain_search(const TranslationModel& model, const Ids& source, const DecodingOptions& options) {
  const auto beam = static_cast<std::size_t>(options.beam);
  const auto longest = std::min(static_cast<std::size_t>(options.length_factor * static_cast<double>(source.size()) +
                                                         static_cast<double>(options.length_offset)),
                                static_cast<std::size_t>(model.extents().longest_target - 1));
  std::vector<Hypothesis> live(1), finished;
  for (std::size_t length = 0; length <= longest && finished.size() < beam; ++length) {
    std::vector<Hypothesis> all;
    for (const Hypothesis& hypothesis : live) {
      const std::vector<double> next = next_log_probabilities(model, source, hypothesis.tokens);
      for (std::size_t token = 0; token < next.size(); ++token) {
        const bool eos = token == kEos;
        const bool allowed = eos ? length >= static_cast<std::size_t>(options.min_length) : length < longest;
        all.push_back(extended(hypothesis, static_cast<std::int32_t>(token),
                               allowed ? next[token] : -std::numeric_limits<double>::infinity()));
      }
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const Hypothesis& a, const Hypothesis& b) { return sum_of(a) > sum_of(b); });
    all.resize(std::min(all.size(), 2 * beam));
    live.clear();
    for (std::size_t rank = 0; rank < all.size() && std::isfinite(sum_of(all[rank])); ++rank) {
      if (all[rank].tokens.back() != kEos) {
        if (live.size() < beam) live.push_back(all[rank]);
      } else if (rank < beam && finished.size() < beam) {
        finished.push_back(all[rank]);
      }
    }
  }
  sort_by_score(finished, options.length_penalty);
  return finished;
}

// Log-probabilities differ by no more than that share of the largest one.
void compare(const std::vector<Hypothesis>& got, const std::vector<Hypothesis>& expected, double share) {
  REQUIRE(got.size() == expected.size());
  double tolerance = 0;
  for (const Hypothesis& hypothesis : expected) {
    for (const double value : hypothesis.log_probabilities) tolerance = std::max(tolerance, share * std::abs(value));
  }
  for (std::size_t i = 0; i < got.size(); ++i) {
    INFO("hypothesis " << i);
    REQUIRE(got[i].tokens == expected[i].tokens);
    REQUIRE(got[i].log_probabilities.size() == got[i].tokens.size());
    for (std::size_t j = 0; j < got[i].tokens.size(); ++j) {
      CHECK(std::abs(got[i].log_probabilities[j] - expected[i].log_probabilities[j]) <= tolerance);
    }
    CHECK(std::abs(got[i].score - expected[i].score) <= 10 * tolerance);
  }
}

}  // namespace

TEST_CASE("decoding finds what a plain search finds that keeps nothing and takes one sentence at a time") {
  for (const Dtype dtype : {Dtype::f64, Dtype::f32}) {
    for (const Placement placement : {Placement::pre, Placement::post}) {
      const auto model = make_model(dtype, placement);
      for (const DecodingOptions& options :
           {DecodingOptions{.beam = 1}, DecodingOptions{.beam = 2, .length_penalty = 0, .min_length = 0},
            DecodingOptions{.beam = 5, .length_penalty = 1.2, .length_factor = 0.5, .length_offset = 3},
            DecodingOptions{.beam = 15, .length_penalty = 0.6, .min_length = 4}}) {
        const auto results = decode_together(*model, kSources, options);
        REQUIRE(results.size() == kSources.size());
        for (std::size_t i = 0; i < kSources.size(); ++i) {
          INFO(dtype << ", beam " << options.beam << ", sentence " << i);
          compare(results[i], plain_search(*model, kSources[i], options), tolerance(dtype));
        }
      }
    }
  }
}

TEST_CASE("decoding with a beam of 1 takes the likeliest token each time") {
  const auto model = make_model(Dtype::f64, Placement::pre);
  const DecodingOptions options{.beam = 1};
  const auto results = decode_together(*model, kSources, options);
  for (std::size_t i = 0; i < kSources.size(); ++i) {
    Hypothesis greedy;
    while (greedy.tokens.empty() || greedy.tokens.back() != kEos) {
      std::vector<double> next = next_log_probabilities(*model, kSources[i], greedy.tokens);
      const double eos = next[kEos];
      if (greedy.tokens.empty()) next[kEos] = -1e300;  // min_length
      std::size_t best = static_cast<std::size_t>(std::max_element(next.begin(), next.end()) - next.begin());
      if (greedy.tokens.size() == 11) best = kEos;  // the model's positions
      greedy = extended(greedy, static_cast<std::int32_t>(best), best == kEos ? eos : next[best]);
    }
    std::vector<Hypothesis> expected{greedy};
    sort_by_score(expected, 1);
    compare(results[i], expected, 1e-12);
  }
}

TEST_CASE("decoding sentences together gives what each gives alone, to the bit on any threads") {
  for (const Dtype dtype : {Dtype::f64, Dtype::f32}) {
    const auto model = make_model(dtype, Placement::post);
    const DecodingOptions options{.beam = 4};
    const int before = threads();
    set_threads(1);
    const auto together = decode_together(*model, kSources, options);
    for (const int count : {2, 4}) {
      set_threads(count);
      const auto again = decode_together(*model, kSources, options);
      for (std::size_t i = 0; i < kSources.size(); ++i) compare(again[i], together[i], 0);
    }
    set_threads(before);
    for (std::size_t i = 0; i < kSources.size(); ++i) {
      compare(decode_together(*model, {kSources[i]}, options)[0], together[i], tolerance(dtype));
    }
  }
}

TEST_CASE("a beam that loses nothing ranks all translations there are") {
  const TranslationModel model(init_f64(), small_translation_config(Placement::pre, EmbeddingSharing::output),
                               {11, 5, 8, 12});
  shake(model);
  const Ids& source = kSources[0];
  std::vector<Hypothesis> prefixes(1), all;  // four tokens and <eos>: at most 3 tokens make 4 + 16 + 64 translations
  for (std::size_t length = 0; length <= 3; ++length) {
    std::vector<Hypothesis> longer;
    for (const Hypothesis& prefix : prefixes) {
      const std::vector<double> next = next_log_probabilities(model, source, prefix.tokens);
      for (std::int32_t token = 0; token < 5; ++token) {
        const Hypothesis hypothesis = extended(prefix, token, next[static_cast<std::size_t>(token)]);
        if (token != kEos) longer.push_back(hypothesis);
        if (token == kEos && length > 0) all.push_back(hypothesis);
      }
    }
    prefixes = std::move(longer);
  }
  REQUIRE(all.size() == 84);
  for (const double alpha : {0.0, 1.0, 2.0}) {
    sort_by_score(all, alpha);
    const DecodingOptions options{.beam = 100, .length_penalty = alpha, .length_factor = 0, .length_offset = 3};
    compare(decode_together(model, {source}, options)[0], all, 1e-12);
  }
}

TEST_CASE("decoding breaks ties by the hypothesis, then by the lower token, and ends at the greatest length") {
  const TranslationModel model(init_f64(), small_translation_config(Placement::pre, EmbeddingSharing::none),
                               {11, 4, 8, 12});
  for (Named& parameter : model.parameters()) {
    if (parameter.path == "output.weight") parameter.tensor.fill(0);  // each token has the probability 1 / 4
  }
  const auto tokens = [&](const DecodingOptions& options, std::int32_t eos = kEos) {
    std::vector<Ids> result;
    const auto results = decode_together(model, {kSources[0]}, options, eos);
    for (const Hypothesis& hypothesis : results[0]) {
      CHECK(hypothesis.log_probabilities == std::vector<double>(hypothesis.tokens.size(), -std::log(4.0)));
      result.push_back(hypothesis.tokens);
    }
    return result;
  };
  DecodingOptions options{.beam = 3, .length_factor = 0, .length_offset = 3};
  CHECK(tokens(options) == std::vector<Ids>{{0, 2}, {0, 0, 2}, {0, 0, 0, 2}});
  options.min_length = 0;
  CHECK(tokens(options) == std::vector<Ids>{{2}, {0, 2}, {0, 0, 2}});
  options.length_penalty = 0;  // the shorter, the likelier
  CHECK(tokens(options) == std::vector<Ids>{{2}, {0, 2}, {0, 0, 2}});
  options = {.beam = 1, .length_factor = 0.4, .length_offset = 0};  // of 5 source tokens
  CHECK(tokens(options) == std::vector<Ids>{{0, 0, 2}});
  options = {.beam = 2, .length_factor = 0, .length_offset = 1};
  CHECK(tokens(options, 0) == std::vector<Ids>{{1, 0}, {2, 0}});
  options = {.beam = 1, .length_factor = 100};  // the model has positions for 12 inputs
  CHECK(tokens(options) == std::vector<Ids>{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}});
}

TEST_CASE("decoding: errors name what must hold") {
  const auto model = make_model(Dtype::f64, Placement::pre);
  const Tensor source = Tensor::from({5}, kSources[0]);
  const Rows rows = Rows::single(5);
  CHECK_THROWS_WITH(decode(*model, source, rows, kFirst, 11), "decoding: <eos> must be in [0, 11), got 11");
  CHECK_THROWS_WITH(decode(*model, source, rows, kFirst, kEos, {.beam = 0}),
                    "decoding: the beam must be at least 1, got 0");
  {
    Tape tape;
    CHECK_THROWS_WITH(decode(*model, source, rows, kFirst, kEos),
                      "decoding: no tape must be alive, got one; it would keep every step");
  }
  model->parameters().front().tensor.fill(std::numeric_limits<double>::quiet_NaN());
  CHECK_THROWS_WITH(decode(*model, source, rows, kFirst, kEos), "decoding: logits must be finite, got NaN or infinity");
}

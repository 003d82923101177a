// Inference time: see the header.
#include "inference_time.h"

#include <algorithm>
#include <cmath>

#include "../../nn/folding.h"
#include "../bench/measure.h"
#include "../experiment/statistics.h"
#include "../task/language_modelling.h"

namespace normlab {
namespace {

struct Timed {
  std::string site;
  const LanguageModel* model;
  std::vector<double> seconds = {};  // per token, a value for each turn
};

void report(Timed& timed, std::vector<Measurement>& found) {
  const std::vector<double>& all = timed.seconds;
  // The number of values below the true median is binomial: n / 2 more or less 1.96 sqrt(n) / 2.
  const double around = 0.98 / std::sqrt(static_cast<double>(all.size()));
  const double half_width =
      (quantile(all, std::min(1.0, 0.5 + around)) - quantile(all, std::max(0.0, 0.5 - around))) / 2;
  found.push_back({"seconds_per_token", timed.site, quantile(all, 0.5), half_width});
  found.push_back(
      {.quantity = "seconds_per_token_spread", .site = timed.site, .value = quantile(all, 0.75) - quantile(all, 0.25)});
}

double largest_difference(const Tensor& a, const Tensor& b) {
  double difference = 0, magnitude = 0;
  for (Index i = 0; i < a.size(); ++i) {
    difference = std::max(difference, std::abs(a.at(i) - b.at(i)));
    magnitude = std::max(magnitude, std::abs(a.at(i)));
  }
  return difference / magnitude;
}

}  // namespace

void InferenceTimeOptions::fields(Fields& f) {
  std::vector<std::string> kinds;
  for (const auto& entry : registered(static_cast<const NormOptions*>(nullptr))) kinds.push_back(entry.kind);
  f.choices("beside", beside, kinds, "kinds of norm that the model is also timed with, in place of its own");
  f.boolean("fold", fold, "the model is also timed with its norms folded into linear maps");
  f.integer("sequences", sequences, {.at_least = 1, .at_most = 1e6}, "of the batch");
  f.integer("length", length, {.at_least = 1, .at_most = 1e6}, "tokens of each sequence");
  f.integer("turns", turns, {.at_least = 3, .at_most = 1e6}, "forwards of each model that are timed");
}

std::string InferenceTimeOptions::problem(const ModelOptions& model) const {
  return dynamic_cast<const LanguageModelOptions*>(&model) ? ""
                                                           : "inference_time is of a model of the kind language_model";
}

std::vector<Measurement> InferenceTimeOptions::measure(const MeasuringContext& context) const {
  auto& task = dynamic_cast<LanguageModelling&>(*context.task);
  const LanguageModel& own = task.model();
  check(length <= own.longest_sequence(), "inference_time: length must be at most that of the model's sequences, ",
        own.longest_sequence(), ", got ", length);
  const Rows rows = Rows::equal(sequences, length);
  Random random(context.seed, "inference_time.tokens");
  std::vector<std::int32_t> ids(static_cast<std::size_t>(rows.tokens()));
  for (std::int32_t& id : ids) id = static_cast<std::int32_t>(random.below(own.vocabulary()));
  const Tensor inputs = Tensor::from({rows.tokens()}, ids);

  std::vector<std::unique_ptr<LanguageModel>> others;
  std::vector<Timed> all = {{own.config().norm.kind(), &own}};
  const auto add = [&](const std::string& site, std::unique_ptr<LanguageModel> model) {
    others.push_back(std::move(model));
    all.push_back({site, others.back().get()});
  };
  if (fold) add(all.front().site + " folded", fold_norms(own));
  for (const std::string& kind : beside) {
    if (kind == own.config().norm.kind()) continue;
    LanguageModelConfig config = own.config();
    config.norm = NormConfig(kind);
    const Init init{.path = own.path(), .seed = context.init_seed, .dtype = context.dtype};
    add(kind, std::make_unique<LanguageModel>(init, config, own.vocabulary(), own.longest_sequence()));
  }

  const auto logits = [&](const Timed& timed) { return timed.model->logits(inputs, rows, {}); };
  for (const Timed& timed : all) logits(timed);  // fills the pool
  for (Index turn = 0; turn < turns; ++turn) {
    for (Timed& timed : all) {
      timed.seconds.push_back(seconds_of([&] { logits(timed); }) / static_cast<double>(rows.tokens()));
    }
    context.progress(turn + 1, turns, "");
  }

  std::vector<Measurement> found;
  for (Timed& timed : all) report(timed, found);
  if (fold) {
    found.push_back({.quantity = "folded_difference",
                     .site = all[1].site,
                     .value = largest_difference(logits(all[0]), logits(all[1]))});
  }
  return found;
}

}  // namespace normlab

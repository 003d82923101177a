// The fields of a config.
#include "config.h"

#include <algorithm>

#include "config_writer.h"

namespace normlab {

void TrainConfig::fields(Fields& f, bool required) {
  f.integer("steps", steps, {.at_least = 0, .at_most = kMostSteps}, "optimizer steps to train; 0 when epochs say it");
  f.integer("epochs", epochs, {.at_least = 0, .at_most = 1e6}, "passes over the training text; 0 when steps say it");
  f.require((steps > 0) != (epochs > 0) || (!required && steps == 0), steps > 0 ? "epochs" : "steps",
            text(required ? "exactly" : "at most", " one of steps and epochs must be positive, got steps ", steps,
                 " and epochs ", epochs));
  optimizer.fields(f, "optimizer", "how gradients change the parameters");
  f.group(
      "schedule", [this](Fields& g) { schedule.fields(g); }, "the factor on the rate, step by step");
  f.real("label_smoothing", label_smoothing, {.at_least = 0, .below = 1},
         "share of the target's probability that is spread over the vocabulary; training only");
  f.real("clip", clip, {.at_least = 0}, "largest joint L2 norm of the gradients, longer ones are cut; 0 for none");
  f.integer("accumulate", accumulate, {.at_least = 1, .at_most = 1e6}, "micro-batches (batches of the data) per step");
  choice<bool>(
      f, "commit_statistics", commit_every_micro_batch, {{true, "micro_batch"}, {false, "step"}},
      "when the running statistics of norms take in what batches showed; until then forward uses the old ones");
  f.integer("evaluate_every", evaluate_every, {.at_least = 0, .at_most = kMostSteps},
            "steps between evaluations; 0 for one at the end");
  f.boolean("evaluate_batch_statistics", evaluate_batch_statistics,
            "each evaluation is done once more with the batches' own statistics in place of the running ones; the "
            "difference is the training-inference gap");
  f.integer(
      "score_every", score_every, {.at_least = 0, .at_most = kMostSteps},
      "steps between scorings of the validation split by what takes longer than a loss (BLEU), in an evaluation of "
      "the same step; 0 for one at the end");
  f.require(score_every == 0 || (evaluate_every > 0 && score_every % evaluate_every == 0), "score_every",
            text("must be a multiple of evaluate_every, which is ", evaluate_every, "; got ", score_every));
  f.integer("checkpoint_every", checkpoint_every, {.at_least = 0, .at_most = kMostSteps},
            "steps between checkpoints; 0 for one at the end");
  f.integer("keep", keep, {.at_least = 1, .at_most = 1e6}, "how many of the last checkpoints stay");
  f.integer("average", average, {.at_least = 0, .at_most = 1e6},
            "how many of the last checkpoints make the model, by the mean of its parameters and running statistics, "
            "that the final evaluation and scores are of; 0 or 1 for the last one alone");
  f.require(average < 2 || checkpoint_every > 0, "average",
            text("needs checkpoint_every above 0 to have more than one checkpoint to average, got ", average));
  f.require(average <= keep, "average",
            text("must be at most keep, the checkpoints that stay, got ", average, " and keep ", keep));
  f.integer("log_every", log_every, {.at_least = 1, .at_most = kMostSteps}, "steps between lines of metrics");
}

void ProbesConfig::fields(Fields& f) {
  f.integer("every", every, {.at_least = 0, .at_most = kMostSteps},
            "steps between measurements, the first at step 1; 0 for none but those of `at`");
  f.integers("at", at, {.at_least = 1, .at_most = kMostSteps}, "further steps that are measured");
  f.strings("sites", sites, "patterns of the paths that are measured; * stands for any characters");
  f.choices("quantities", quantities,
            {"activation_norm", "activation_gradient_norm", "weight_norm", "weight_gradient_norm", "norm_statistics"},
            "what is measured there; norm_statistics is all that norms with running statistics have to tell");
}

bool ProbesConfig::wanted(std::int64_t step) const {
  if (every > 0 && (step - 1) % every == 0) return true;
  return std::find(at.begin(), at.end(), step) != at.end();
}

void Config::fields(Fields& f) {
  constexpr Range kSeeds{.at_least = 0};
  measurement.fields(f, "experiment",
                     "what is found out: by training, or by measuring, with training before or without");
  f.integer("seed", seed, kSeeds, "of dropout, and of all that has no seed of its own");
  f.integer("init_seed", init_seed, kSeeds, "of the parameters' first values; 0 for `seed`");
  f.integer("data_seed", data_seed, kSeeds, "of the order of the data and of made-up text; 0 for `seed`");
  choice<Dtype>(f, "dtype", dtype, {{Dtype::f32, "f32"}, {Dtype::f64, "f64"}}, "of all numbers of the model");
  if (!measurement->of_model()) return;
  model.fields(f, "model", "the Transformer");
  const std::string problem = measurement->problem(*model);
  f.require(problem.empty(), "model", text(problem, ", got ", model.kind()));
  data.fields(f, "data", "what it learns");
  f.require(model->content() == data->content(), "data",
            text("the model ", model.kind(), " does not learn from data of the kind ", data.kind()));
  f.group(
      "train", [this](Fields& g) { train.fields(g, measurement->only_trains()); }, "how it learns");
  f.group(
      "probes", [this](Fields& g) { probes.fields(g); }, "norms measured inside the model without changing a bit");
}

JsonNode resolved(Config config) {
  ConfigWriter writer;
  config.fields(writer);
  return writer.object();
}

}  // namespace normlab

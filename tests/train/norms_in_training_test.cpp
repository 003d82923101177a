// Norms with running statistics in a whole training run: ghost batches, commits, resuming, evaluating, penalties,
// probes.
#include <filesystem>

#include "nn/norm/norm.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tensors.h"
#include "tests/train/training.h"
#include "train/checkpoint.h"
#include "train/files.h"
#include "train/model_check.h"

using namespace normlab;

namespace {

using Overrides = std::vector<std::string>;

const std::vector<Overrides> kNormsWithStatistics = {
    {"model.norm.kind=batch"},
    {"model.norm.kind=power_v"},
    {"model.norm={\"kind\": \"power\", \"warmup_steps\": 3}"},
    {"model.norm={\"kind\": \"power\", \"mode\": \"reference\", \"warmup_steps\": 3, \"pre_scale\": \"grouped_rms\"}"}};

Overrides joined(Overrides a, const Overrides& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// Parameters, then buffers.
std::vector<Named> tensors_of(const Training& t) {
  std::vector<Named> all = t.model.parameters();
  for (const Named& buffer : t.model.buffers()) all.push_back(buffer);
  return all;
}

bool same_training(const Training& a, const Training& b) {
  const auto of_a = tensors_of(a), of_b = tensors_of(b);
  return std::equal(of_a.begin(), of_a.end(), of_b.begin(), of_b.end(),
                    [](const Named& x, const Named& y) { return same_bits(x.tensor, y.tensor); });
}

}  // namespace

TEST_CASE("ghost batches train a model as accumulation over micro-batches of their size does") {
  const Overrides common = {
      "model.dropout=0", "model.attention_dropout=0", "dtype=f64",
      "train.steps=6",   "train.evaluate_every=0",    "train.optimizer={\"kind\": \"sgd\", \"rate\": 0.05}"};
  const auto batches = [](int sequences) {
    return text("data.batching={\"kind\": \"continuous\", \"sequence_length\": 16, \"sequences\": ", sequences, "}");
  };
  for (const Overrides& norm : kNormsWithStatistics) {
    INFO(norm[0]);
    const Overrides with_norm = joined(common, norm);
    Training ghosts(joined(with_norm, {batches(6), "model.norm.statistics_tokens=32"}));
    Training parts(joined(with_norm, {batches(2), "train.accumulate=3"}));
    Training whole(joined(with_norm, {batches(6)}));
    for (std::uint64_t i = 0; i < 3; ++i) {  // the same tokens
      const Tensor of_ghosts = ghosts.data->training_batch(0).inputs, of_part = parts.data->training_batch(i).inputs;
      for (Index k = 0; k < 32; ++k) {
        REQUIRE(of_part.at(k) == of_ghosts.at(static_cast<Index>(i) * 32 + k));
      }
    }
    ghosts.run();
    parts.run();
    whole.run();
    for (std::size_t step = 0; step < 6; ++step) {
      CHECK(ghosts.listening.steps[step].nll == Approx(parts.listening.steps[step].nll).epsilon(1e-12));
      CHECK(ghosts.listening.steps[step].gradient_norm ==
            Approx(parts.listening.steps[step].gradient_norm).epsilon(1e-10));
    }
    CHECK(ghosts.listening.steps[5].nll != Approx(whole.listening.steps[5].nll).epsilon(1e-6));
    const auto of_ghosts = tensors_of(ghosts), of_parts = tensors_of(parts);
    double worst = 0;
    for (std::size_t i = 0; i < of_ghosts.size(); ++i) {
      for (Index j = 0; j < of_ghosts[i].tensor.size(); ++j) {
        worst = worse(worst, std::abs(of_ghosts[i].tensor.at(j) - of_parts[i].tensor.at(j)));
      }
    }
    CHECK(worst < 1e-11);
  }
}

TEST_CASE("evaluating in the middle, by either statistics, and probing do not change one bit of training") {
  for (const Overrides& norm : kNormsWithStatistics) {
    INFO(norm[0]);
    Training plain(joined(norm, {"train.evaluate_every=0"}));
    Training watched(
        joined(norm, {"train.evaluate_every=1", "train.evaluate_batch_statistics=true", "probes.every=1"}));
    plain.run();
    watched.run();
    CHECK(same_training(plain, watched));
    bool gap = false;
    for (std::size_t i = 0; i + 1 < watched.listening.evaluations.size(); i += 2) {
      const EvaluationReport &running = watched.listening.evaluations[i], &batch = watched.listening.evaluations[i + 1];
      CHECK_FALSE(running.batch_statistics);
      CHECK(batch.batch_statistics);
      CHECK(running.step == batch.step);
      CHECK(running.tokens == batch.tokens);
      gap = gap || running.nll != batch.nll;
    }
    CHECK(gap);
  }
}

TEST_CASE("a resumed run has the same running statistics to the bit") {
  for (const Overrides& norm : kNormsWithStatistics) {
    INFO(norm[0]);
    const Training t(joined(norm, {"train.checkpoint_every=3", "train.keep=9"}));
    const test::TemporaryFolder folder;
    RunSettings settings;
    settings.quiet = true;
    settings.folder = folder.path() / "whole";
    run_one(t.config, settings);
    const auto resumed = folder.path() / "resumed";
    std::filesystem::create_directories(resumed / "checkpoints");
    std::filesystem::copy(settings.folder / "config.json", resumed / "config.json");
    std::filesystem::copy(settings.folder / "metrics.jsonl", resumed / "metrics.jsonl");
    std::filesystem::copy(checkpoint_path(settings.folder / "checkpoints", 3),
                          checkpoint_path(resumed / "checkpoints", 3));
    const std::string expected = read_file(checkpoint_path(settings.folder / "checkpoints", 8));
    settings.folder = resumed;
    settings.resume = true;
    run_one(t.config, settings);
    CHECK(read_file(checkpoint_path(resumed / "checkpoints", 8)) == expected);
    CHECK(expected.find("running_") != std::string::npos);
  }
}

TEST_CASE("statistics are committed after each micro-batch, or once a step") {
  for (const Overrides& norm : kNormsWithStatistics) {
    INFO(norm[0]);
    const auto trained = [&](const Overrides& further) {
      auto t = std::make_unique<Training>(joined(norm, further));
      t->run();
      return t;
    };
    const auto one = trained({}), one_a_step = trained({"train.commit_statistics=step"});
    CHECK(same_training(*one, *one_a_step));  // one micro-batch a step
    const auto two = trained({"train.accumulate=2"});
    const auto two_a_step = trained({"train.accumulate=2", "train.commit_statistics=step"});
    // Forward by batch statistics does not know the difference before it is evaluated; PN's forward does.
    const bool power = norm[0].find("\"power\"") != std::string::npos;
    CHECK(same_training(*two, *two_a_step) == !power);
  }
}

TEST_CASE("what norms add to the loss is reported apart, and trains") {
  Training plain({"model.norm.kind=batch"}),
      penalized({"model.norm={\"kind\": \"batch\", \"mean_penalty\": 60, \"variance_penalty\": 1}"});
  plain.run();
  penalized.run();
  CHECK(plain.listening.steps[0].penalty == 0);
  CHECK(penalized.listening.steps[0].penalty > 0);
  CHECK(penalized.listening.steps[0].nll == plain.listening.steps[0].nll);
  CHECK(penalized.listening.steps[0].gradient_norm > plain.listening.steps[0].gradient_norm);
  CHECK(penalized.listening.steps[7].penalty < penalized.listening.steps[0].penalty);
}

TEST_CASE("probes tell what norms measure, under the norm's path") {
  Training t(joined(kNormsWithStatistics[3], {"probes.at=[8]", "probes.sites=[\"*_norm\"]",
                                              "probes.quantities=[\"norm_statistics\"]", "train.accumulate=2"}));
  t.run();
  std::vector<std::string> sites;
  for (const Probe::Record& record : t.listening.probes) {
    CHECK(std::isfinite(record.value));
    if (record.quantity == "gamma_largest") sites.push_back(record.site);
  }
  CHECK(sites == std::vector<std::string>{"layers.0.attention_norm", "layers.0.feed_forward_norm",
                                          "layers.1.attention_norm", "layers.1.feed_forward_norm", "final_norm"});
}

TEST_CASE("the gradient check of a whole model passes with every norm at every site") {
  for (const auto& entry : registered(static_cast<const NormOptions*>(nullptr))) {
    for (const PreScale pre_scale : {PreScale::none, PreScale::grouped_rms}) {
      LanguageModelConfig config;
      config.norm.set(entry.kind);
      config.norm.pre_scale = pre_scale;
      config.norm_at.inner.set("same");
      config.dropout = 0;
      const ModelCheck check = check_model(config, 0.1, 1);
      INFO(entry.kind << "\n" << check.gradients.report);
      CHECK(check.gradients);
      CHECK((check.stand_in == "power_v in place of power") == (entry.kind == "power"));
    }
  }
}

TEST_CASE("the gradient check of a whole model sees the penalties of norms") {
  Training t({"model.norm={\"kind\": \"batch\", \"mean_penalty\": 0.5, \"variance_penalty\": 0.3}"});
  const ModelCheck check = t.config.model->check(0.1, 1);
  INFO(check.gradients.report);
  CHECK(check.gradients);
}

// Translation as a task: trained, evaluated, scored, resumed; and configs whose parts do not fit.
#include "train/task/translation.h"

#include <filesystem>
#include <limits>

#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "train/checkpoint.h"
#include "train/experiment/experiment_config.h"
#include "train/files.h"
#include "train/metrics.h"
#include "train/run.h"

using namespace normlab;

namespace {

const char* const kTranslation = R"({
  "question": "?",
  "model": {"kind": "translation",
            "encoder": {"layers": 1, "width": 16, "heads": 2, "feed_forward": 32, "norm": {"kind": "power"}},
            "decoder": {"layers": 1, "width": 16, "heads": 2, "feed_forward": 32},
            "decoding": {"beam": 2, "length_offset": 5}},
  "data": {"kind": "synthetic_translation", "train_pairs": 200, "valid_pairs": 12, "test_pairs": 10,
           "tokens_per_batch": 300},
  "train": {"steps": 8, "evaluate_every": 4, "score_every": 4, "checkpoint_every": 5, "keep": 9,
            "label_smoothing": 0.1, "optimizer": {"kind": "adam", "rate": 0.01}}
})";

Config config_of(const std::vector<std::string>& overrides = {}) {
  return parse_experiment(kTranslation, "test.json", overrides).runs.at(0).config;
}

std::string complaint(const std::vector<std::string>& overrides) {
  try {
    config_of(overrides);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a translation model trains, and its translations are scored when it is due") {
  const test::TemporaryFolder folder;
  RunSettings settings;
  settings.quiet = true;
  settings.folder = folder.path() / "run";
  const RunResult result =
      run_one(config_of({"train.steps=60", "train.evaluate_every=30", "train.score_every=30"}), settings);
  std::vector<double> valid;
  int scored = 0;
  for (const MetricRecord& record : read_metrics(settings.folder / "metrics.jsonl")) {
    if (record.event != "evaluation" || record.word("split") != "valid") continue;
    valid.push_back(*record.number("nll"));
    const auto bleu = record.number("score.bleu_tokenized");
    CHECK(bleu.has_value() == (record.step > 0));
    scored += bleu.has_value();
  }
  REQUIRE(valid.size() == 3);
  CHECK(valid[2] < valid[0] - 1);
  CHECK(scored == 2);
  for (const char* name : {"valid_bleu", "valid_bleu_tokenized", "valid_chrf", "test_bleu", "test_chrf"}) {
    CHECK(result.scores.at(name) >= 0);
    CHECK(result.scores.at(name) <= 100);
  }
  CHECK(result.scores.at("test_chrf") > 0);
  const auto again =
      finished_run(config_of({"train.steps=60", "train.evaluate_every=30", "train.score_every=30"}), settings.folder);
  REQUIRE(again);
  CHECK(again->scores == result.scores);
}

TEST_CASE("a resumed translation run is the same to the bit") {
  const test::TemporaryFolder folder;
  RunSettings settings;
  settings.quiet = true;
  settings.folder = folder.path() / "whole";
  run_one(config_of(), settings);
  const auto resumed = folder.path() / "resumed";
  std::filesystem::create_directories(resumed / "checkpoints");
  for (const char* file : {"config.json", "metrics.jsonl"})
    std::filesystem::copy(settings.folder / file, resumed / file);
  std::filesystem::copy(checkpoint_path(settings.folder / "checkpoints", 5),
                        checkpoint_path(resumed / "checkpoints", 5));
  const std::string expected = read_file(checkpoint_path(settings.folder / "checkpoints", 8));
  settings.folder = resumed;
  settings.resume = true;
  run_one(config_of(), settings);
  CHECK(read_file(checkpoint_path(resumed / "checkpoints", 8)) == expected);
  CHECK(expected.find("encoder.layers.0.attention_norm.nu") != std::string::npos);
}

TEST_CASE("the gradient check of a translation model, its power norms stood in for") {
  const ModelCheck check = config_of().model->check(0.1, 1);
  INFO(check.gradients.report);
  CHECK(check.gradients);
  CHECK(check.stand_in == "power_v in place of power");
}

TEST_CASE("a model that computes NaN scores nothing, which is a result and not an error") {
  const Config config = config_of();
  const auto data = load_data(config, ".");
  const auto task = config.model->make({}, *data);
  Tensor(task->model().parameters().back().tensor).fill(std::numeric_limits<double>::quiet_NaN());
  const auto scores = task->scores(Split::valid);
  REQUIRE(scores.size() == 3);
  for (const auto& [name, score] : scores) CHECK(score == 0);
}

TEST_CASE("a model and data that do not fit are found before anything is built") {
  CHECK(complaint({"data={\"kind\": \"synthetic\"}"})
            .find("the model translation does not learn "
                  "from data of the kind synthetic") != std::string::npos);
  CHECK(complaint({"model={\"kind\": \"language_model\"}"})
            .find("the model language_model does not learn from data of "
                  "the kind synthetic_translation") != std::string::npos);
  CHECK(complaint({"model.decoder.width=32"}).find("model.decoder") != std::string::npos);
  const Config separate = config_of({"data.vocabulary=separate"});
  const auto data = load_data(separate, ".");
  CHECK_THROWS_WITH(separate.model->training_size(*data, Dtype::f32),
                    ContainsSubstring("share_embeddings \"all\" needs one vocabulary for both languages"));
}

// Translation as a task: trained, evaluated, scored, resumed; and configs whose parts do not fit.
#include "train/task/translation.h"

#include <algorithm>
#include <filesystem>
#include <limits>

#include "resumed.h"
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
  CHECK(check_resumes(config_of()).find("encoder.layers.0.attention_norm.nu") != std::string::npos);
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

TEST_CASE("scores say what they are, with the case that the data spell") {
  const test::TemporaryFolder folder;
  std::string pairs;
  for (int i = 0; i < 60; ++i) pairs += text("Ein Haus Nr. ", i, "\tA House no. ", i, "\n");
  write_file(folder / "pairs.tsv", pairs);
  const std::string data =
      text("data={\"kind\": \"parallel\", \"train\": \"pairs.tsv\", \"valid\": \"pairs.tsv\", \"folder\": \"",
           folder.path().string(), "\", \"tokens_per_batch\": 60, \"lowercase\": ");
  for (const bool lowercase : {true, false}) {
    const Config config =
        config_of({data + (lowercase ? "true}" : "false}"), "train.steps=1", "train.checkpoint_every=0"});
    RunSettings settings;
    settings.quiet = true;
    settings.folder = folder / (lowercase ? "lower" : "mixed");
    run_one(config, settings);
    const auto result = finished_run(config, settings.folder);
    REQUIRE(result);
    const auto& definitions = result->score_definitions;
    REQUIRE(definitions.size() == 3);
    const std::string of_case = lowercase ? "|case:lc|" : "|case:mixed|";
    CHECK_THAT(definitions.at("bleu"), ContainsSubstring("BLEU of plain text, nrefs:1" + of_case + "eff:no|tok:13a|"));
    CHECK_THAT(definitions.at("bleu_tokenized"), ContainsSubstring("nrefs:1" + of_case + "eff:no|tok:none|"));
    CHECK_THAT(definitions.at("chrf"), ContainsSubstring("chrF2 of plain text, nrefs:1" + of_case + "eff:yes|"));
  }
}

TEST_CASE("data that are not there come with the command that fetches them") {
  const test::TemporaryFolder folder;
  const auto complaint_of = [&](const std::string& train) {
    const std::string data = R"(data={"kind": "parallel", "folder": "multi30k.de-en/tok", "source": "de", )";
    try {
      load_data(config_of({data + R"("target": "en", "train": ")" + train + "\"}"}), folder.path().string());
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string hint = "`./normlab data multi30k --to " + folder.path().string() + "` fetches ";
  CHECK_THAT(complaint_of("train.lc.norm.tok.{}"),
             ContainsSubstring("looked there for ") && ContainsSubstring(hint + "raw/train.de, "));
  std::filesystem::create_directories(folder / "multi30k.de-en/tok");
  CHECK_THAT(complaint_of("train.lc.norm.tok.{}"),
             ContainsSubstring("must be readable") && ContainsSubstring(hint + "it"));
  CHECK_THAT(complaint_of("train.{}"), ContainsSubstring(hint + "raw/train.de, "));
}

TEST_CASE("the memory that training takes is that of the largest batch, wherever it comes") {
  const Config config = config_of();
  const auto data = load_data(config, ".");
  const auto& pairs = dynamic_cast<const TranslationData&>(*data);
  Index source = 0, target = 0;
  for (Index i = 0; i < pairs.batches_per_epoch(); ++i) {
    const TranslationBatch batch = pairs.training_batch(static_cast<std::uint64_t>(i));
    source = std::max(source, batch.source_rows.tokens());
    target = std::max(target, batch.target_rows.tokens());
  }
  const TranslationBatch first = pairs.training_batch(0);
  REQUIRE(first.source_rows.tokens() + first.target_rows.tokens() < source + target);
  CHECK(config.model->training_size(*data, Dtype::f32).tokens == source + target);
}

// Classification as a task: trained, evaluated, resumed; what a run tells of it.
#include "train/task/classification.h"

#include <filesystem>

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

const char* const kVision = R"({
  "question": "?",
  "model": {"kind": "vision", "layers": 2, "width": 32, "heads": 4, "feed_forward": 64, "activation": "gelu",
            "norm": {"kind": "batch"}, "norm_at": {"inner": {"kind": "batch"}}},
  "data": {"kind": "synthetic_images", "train_images": 640, "valid_images": 100, "test_images": 70, "shift": 1},
  "train": {"steps": 8, "evaluate_every": 4, "checkpoint_every": 5, "keep": 9, "label_smoothing": 0.1,
            "evaluate_batch_statistics": true, "optimizer": {"kind": "adam", "rate": 0.003}},
  "probes": {"every": 4, "sites": ["*norm"], "quantities": ["norm_statistics"]}
})";

Config config_of(const std::vector<std::string>& overrides = {}) {
  return parse_experiment(kVision, "test.json", overrides).runs.at(0).config;
}

}  // namespace

TEST_CASE("a vision Transformer learns the made-up images") {
  const test::TemporaryFolder folder;
  RunSettings settings;
  settings.quiet = true;
  settings.folder = folder / "run";
  const RunResult result = run_one(
      config_of({"train.steps=200", "train.evaluate_every=100", "train.checkpoint_every=0", "data.train_images=2000",
                 "data.shift=0", R"(model.norm={"kind": "layer"})", R"(model.norm_at={})", "probes.every=0"}),
      settings);
  CHECK(result.scores.at("valid_accuracy") > 0.9);
  CHECK(result.scores.at("test_accuracy") > 0.9);
  CHECK_THAT(result.score_definitions.at("accuracy"), ContainsSubstring("largest logit"));
}

TEST_CASE("each evaluation tells the accuracy, by running and by batch statistics; the result keeps the former") {
  const test::TemporaryFolder folder;
  RunSettings settings;
  settings.quiet = true;
  settings.folder = folder / "run";
  const RunResult result = run_one(config_of(), settings);
  int evaluations = 0;
  double running = -1;
  for (const MetricRecord& record : read_metrics(settings.folder / "metrics.jsonl")) {
    if (record.event != "evaluation") continue;
    const bool valid = record.word("split") == "valid";
    ++evaluations;
    CHECK(*record.number("tokens") == (valid ? 100 : 70));
    const double accuracy = record.number("score.accuracy").value();
    CHECK(accuracy >= 0);
    CHECK(accuracy <= 1);
    if (valid && record.word("statistics") == "running") running = accuracy;
  }
  CHECK(evaluations == 8);
  CHECK(result.scores.at("valid_accuracy") == running);
  CHECK(result.scores.size() == 2);
  CHECK(finished_run(config_of(), settings.folder)->scores == result.scores);

  // What norms saw of images, at the inner site too.
  const std::string probes = read_file(settings.folder / "probes.jsonl");
  for (const char* seen : {"layers.0.attention_norm", "layers.1.feed_forward.inner_norm", "mean_distance_relative",
                           "variance_distance_relative", "mean_gradient_term"}) {
    INFO(seen);
    CHECK(probes.find(seen) != std::string::npos);
  }
}

TEST_CASE("a resumed run on images is the same to the bit") {
  // 200 images are three batches: the run goes through several epochs.
  const std::string checkpoint = check_resumes(config_of({"data.train_images=200"}));
  CHECK(checkpoint.find("layers.0.feed_forward.inner_norm.running_mean") != std::string::npos);
}

TEST_CASE("the gradient check of a vision Transformer") {
  const ModelCheck check = config_of({"model.norm_at.inner.kind=power"}).model->check(0.1, 1);
  INFO(check.gradients.report);
  CHECK(check.gradients);
  CHECK(check.stand_in == "power_v in place of power");
}

TEST_CASE("a vision Transformer trains in f64, and takes the memory of its batches") {
  const Config config = config_of({"dtype=f64"});
  const auto data = load_data(config, ".");
  Init init;
  init.dtype = config.dtype;
  const auto task = config.model->make(init, *data);
  const auto batch = task->training_batch(0);
  CHECK(batch->predicted() == 64);
  Tape tape;
  tape.backward(batch->loss({.training = true}, 0, 64).loss);
  CHECK(config.model->training_size(*data, Dtype::f64).tokens == 64 * 17);
}

TEST_CASE("images that are not there come with the command that fetches them") {
  const test::TemporaryFolder folder;
  const std::string mnist = R"(data={"kind": "images", "folder": "mnist", "train": ["train-images-idx3-ubyte.gz"],
                                     "train_labels": ["train-labels-idx1-ubyte.gz"]})";
  CHECK_THROWS_WITH(load_data(config_of({mnist}), folder.path().string()), ContainsSubstring("./normlab data mnist"));
  CHECK_THROWS_WITH(config_of({R"(data={"kind": "images", "train": ["a", "b"], "train_labels": ["c"]})"}),
                    ContainsSubstring("train_labels") && ContainsSubstring("must name 2 files"));
  CHECK_THROWS_WITH(config_of({R"(data={"kind": "synthetic"})"}),
                    ContainsSubstring("the model vision does not learn from data of the kind synthetic"));
}

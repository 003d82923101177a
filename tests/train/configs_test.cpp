// Every file in configs/ is sound, as an independent validator sees it too, and so is what it resolves to.
#include <cmath>
#include <filesystem>
#include <set>

#include "engine/tape.h"
#include "schema_validator.h"
#include "tests/support/catch.h"
#include "train/experiment/experiment_config.h"
#include "train/files.h"
#include "train/run.h"

using namespace normlab;

namespace {

// Arms that differ in the rate and its schedule alone take the same first step.
std::string without_rate(const Config& config) {
  JsonNode all = resolved(config);
  JsonNode& train = *all.find("train");
  *train.find("schedule") = JsonNode();
  *train.find("optimizer")->find("rate") = JsonNode();
  return to_lines(all);
}

}  // namespace

TEST_CASE("every config and its resolved form satisfy the schema, and the resolved form gives the same runs") {
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(NORMLAB_SOURCE_DIR "/configs")) {
    if (entry.path().extension() != ".json") continue;
    ++files;
    const std::string file = entry.path().string();
    INFO(file);
    const Experiment experiment = read_experiment(file);
    CHECK_FALSE(experiment.question.empty());
    CHECK_FALSE(experiment.cost.empty());
    const std::string resolved_text = to_lines(experiment.resolved);
    const Experiment again = parse_experiment(resolved_text, "resolved");
    CHECK(to_lines(again.resolved) == resolved_text);
    REQUIRE(again.runs.size() == experiment.runs.size());
    for (const std::string& json : {read_file(file), resolved_text, to_lines(resolved(experiment.runs[0].config))}) {
      const auto complaint = schema_complaint(experiment_schema(), json);
      if (!complaint) {
        WARN("valijson is not installed: not held against the schema");
      } else {
        CHECK(*complaint == "");
      }
    }
  }
  CHECK(files >= 4);
}

TEST_CASE("each arm in a paper's own size learns from a first small micro-batch of made-up data", "[slow]") {
  int arms = 0;
  std::set<std::string> seen;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(NORMLAB_SOURCE_DIR "/configs")) {
    const std::string file = entry.path().string();
    if (file.find("_paper.json") == std::string::npos) continue;
    INFO(file);
    const std::string pairs = R"(data={"kind": "synthetic_translation", "train_pairs": 200, "tokens_per_batch": 128})";
    const std::string text = R"(data={"kind": "synthetic", "train_tokens": 4000,
                                      "batching": {"kind": "continuous", "sequence_length": 32, "sequences": 4}})";
    const std::string images = R"(data={"kind": "synthetic_images", "train_images": 8, "side": 32, "patch": 16,
                                        "images_per_batch": 4})";
    const std::string model = read_experiment(file).runs.front().config.model.kind();
    const Experiment experiment =
        read_experiment(file, {model == "translation" ? pairs : model == "vision" ? images : text});
    for (const Run& run : experiment.runs) {
      if (run.seed != experiment.runs.front().seed || !seen.insert(without_rate(run.config)).second) continue;
      INFO(run.name);
      ++arms;
      const auto data = load_data(run.config, "");
      Init init;
      init.dtype = run.config.dtype;
      const auto task = run.config.model->make(init, *data);
      const auto parameters = task->model().parameters();
      const auto optimizer = run.config.train.optimizer->make(parameters);
      const auto batch = task->training_batch(0);
      Tape tape;
      const Pass pass{.training = true, .seed = 1, .step = 1};
      const double smoothing = run.config.train.label_smoothing;
      const CrossEntropy entropy = batch->loss(pass, smoothing, static_cast<double>(batch->predicted()));
      tape.backward(entropy.loss);
      CHECK(std::isfinite(entropy.nll));
      const double norm = gradient_norm(parameters);
      CHECK(std::isfinite(norm));
      CHECK(norm > 0);
      optimizer->step(run.config.train.optimizer->rate, 1);
      task->model().commit();
    }
  }
  CHECK(arms >= 40);
}

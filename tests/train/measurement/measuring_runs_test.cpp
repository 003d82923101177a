// Runs that measure keep the rules of runs: finished ones are not repeated, unfinished ones go on.
#include <filesystem>

#include "measuring.h"
#include "tests/support/catch.h"
#include "train/checkpoint.h"
#include "train/files.h"

using namespace normlab;

namespace {

const std::string kAlone = R"({"experiment": {"kind": "norm_jacobian", "features": 8, "inputs": 2}})";
const std::string kTrained = R"({
  "experiment": {"kind": "expected_gradients", "groups": 2, "most_batches": 4},
  "model": {"layers": 1, "width": 16, "heads": 2, "feed_forward": 32},
  "data": {"kind": "synthetic", "train_tokens": 3000, "valid_tokens": 700, "test_tokens": 0, "clauses": 1, "phrases": 4,
           "batching": {"kind": "sentences", "tokens_per_batch": 256}},
  "train": {"steps": 4, "optimizer": {"kind": "adam", "rate": 1e-2}}
})";

}  // namespace

TEST_CASE("a run that only measures leaves a finished folder without training") {
  const test::TemporaryFolder folder;
  const Config config = config_of(kAlone);
  const RunResult result = run_one(config, quiet_run(folder / "run"));
  CHECK(result.steps == 0);
  CHECK_FALSE(result.trained());
  CHECK_FALSE(std::filesystem::exists(folder / "run/metrics.jsonl"));
  CHECK_FALSE(std::filesystem::exists(folder / "run/checkpoints"));
  CHECK(std::filesystem::exists(folder / "run/run.json"));
  const auto again = finished_run(config, folder / "run");
  REQUIRE(again);
  CHECK_FALSE(again->trained());
  CHECK(read_file(folder / "run/result.json").find("nll") == std::string::npos);
  CHECK_THROWS_WITH(finished_run(config_of(kAlone, {"seed=2"}), folder / "run"), ContainsSubstring("\"seed\": 2"));
  CHECK_THROWS_WITH(run_one(config, quiet_run(folder / "run")), ContainsSubstring("--resume"));
}

TEST_CASE("an unfinished measurement is measured again, the same") {
  const test::TemporaryFolder folder;
  const Config config = config_of(kAlone);
  run_one(config, quiet_run(folder / "run"));
  const std::string whole = read_file(folder / "run/measurements.jsonl");
  std::filesystem::remove(folder / "run/result.json");  // killed while it wrote
  write_file(folder / "run/measurements.jsonl", whole.substr(0, whole.size() / 2));
  RunSettings settings = quiet_run(folder / "run");
  settings.resume = true;
  run_one(config, settings);
  CHECK(read_file(folder / "run/measurements.jsonl") == whole);
}

TEST_CASE("a run trains, then measures, and does not train again when it was stopped in between") {
  const test::TemporaryFolder folder;
  const Config config = config_of(kTrained);
  const RunResult result = run_one(config, quiet_run(folder / "run"));
  CHECK(result.steps == 4);
  CHECK(std::isfinite(result.final_nll));
  const std::string whole = read_file(folder / "run/measurements.jsonl");
  CHECK(Found(folder / "run").records().front().step == 4);
  const auto initial = config_of(kTrained, {"train.steps=0"});
  run_one(initial, quiet_run(folder / "initial"));
  CHECK(Found(folder / "initial").records().front().step == 0);
  CHECK(Found(folder / "initial").value("hidden", "layers.0.out") !=
        Found(folder / "run").value("hidden", "layers.0.out"));

  const std::string metrics = read_file(folder / "run/metrics.jsonl");
  std::filesystem::remove(folder / "run/result.json");
  std::filesystem::remove(folder / "run/measurements.jsonl");
  RunSettings settings = quiet_run(folder / "run");
  settings.resume = true;
  const RunResult resumed = run_one(config, settings);
  CHECK(read_file(folder / "run/measurements.jsonl") == whole);
  CHECK(read_file(folder / "run/metrics.jsonl") == metrics);
  CHECK(resumed.final_nll == result.final_nll);
}

TEST_CASE("a config has the sections that its kind of experiment reads") {
  CHECK_THROWS_WITH(config_of(R"({"model": {"layers": 1}})"), ContainsSubstring("exactly one of steps and epochs"));
  CHECK_THROWS_WITH(config_of(kTrained, {"train.epochs=1"}), ContainsSubstring("at most one of steps and epochs"));
  CHECK_FALSE(config_of(kTrained, {"train.steps=0"}).trains());
  CHECK_THROWS_WITH(config_of(kAlone, {"train.steps=1"}), ContainsSubstring("unknown key"));
  CHECK_THROWS_WITH(config_of(R"({"experiment": {"kind": "guess"}})"),
                    ContainsSubstring("must be one of training, expected_gradients, hidden_moments"));
  CHECK(to_lines(resolved(config_of(kAlone))).find("\"model\"") == std::string::npos);
}

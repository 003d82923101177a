// A run killed at any moment, also while it writes, goes on to the same bits as one never stopped.
#include "engine/random.h"
#include "program.h"
#include "tests/support/catch.h"

using namespace normlab_tests;

namespace {

// A small run that checkpoints every step, with probes, dropout and accumulation on.
const char* const kConfig = R"({
  "question": "Does a killed run go on to the same bits?",
  "model": {"layers": 2, "width": 32, "heads": 2, "feed_forward": 64, "dropout": 0.1, "attention_dropout": 0.1},
  "data": {"kind": "synthetic", "train_tokens": 20000, "valid_tokens": 2000, "test_tokens": 1000,
           "clauses": 1, "phrases": 4, "batching": {"kind": "sentences", "tokens_per_batch": 256}},
  "train": {"steps": 60, "accumulate": 2, "evaluate_every": 10, "checkpoint_every": 1, "keep": 2, "log_every": 1,
            "optimizer": {"kind": "adam", "rate": 1e-3}, "schedule": {"warmup_steps": 20}},
  "probes": {"every": 7}
})";

}  // namespace

TEST_CASE("killed 25 times at times drawn at random, a run ends in the same bytes", "[slow]") {
  Scratch scratch;
  spill(scratch / "config.json", kConfig);
  const auto start = std::chrono::steady_clock::now();
  const Outcome whole =
      run_program({"run", (scratch / "config.json").string(), "--out", (scratch / "whole").string()}, scratch);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  INFO(whole.error);
  REQUIRE(whole.status == 0);

  // Each killed run gets far enough to write something most times, and never as far as the whole.
  normlab::Random random(2024, "kill");
  int kills = 0, finished = 0, lap = 0;
  while (kills < 25) {
    const std::string folder = (scratch / ("killed" + std::to_string(lap++))).string();
    for (;;) {
      Settings settings;
      settings.signal_after = kills < 25 ? random.uniform() * seconds * 0.5 : -1;
      const Outcome outcome =
          run_program({"run", (scratch / "config.json").string(), "--out", folder, "--resume"}, scratch, settings);
      if (outcome.status == -SIGKILL) {
        ++kills;
        continue;
      }
      INFO(outcome.error);
      REQUIRE(outcome.status == 0);
      break;
    }
    ++finished;
    for (const std::string file : {"metrics.jsonl", "probes.jsonl"}) {
      CHECK(without_times(slurp(folder + "/" + file)) == without_times(slurp(scratch / ("whole/" + file))));
    }
    for (const auto& entry : fs::directory_iterator(scratch / "whole/checkpoints")) {
      const bool same = slurp(entry.path()) == slurp(fs::path(folder) / "checkpoints" / entry.path().filename());
      CHECK(same);
    }
    CHECK(slurp(folder + "/config.json") == slurp(scratch / "whole/config.json"));
  }
  WARN("killed " << kills << " times over " << finished << " runs of " << seconds << " s");
}

TEST_CASE("Ctrl-C ends in good order and says how to go on", "[slow]") {
  Scratch scratch;
  spill(scratch / "config.json", kConfig);
  const std::string config = (scratch / "config.json").string();
  REQUIRE(run_program({"run", config, "--out", (scratch / "whole").string()}, scratch).status == 0);
  Settings settings;
  settings.signal = SIGINT;
  settings.signal_after = 0.4;
  const Outcome stopped = run_program(
      {"run", config, "train.checkpoint_every=0", "train.steps=100000", "--out", (scratch / "long").string()}, scratch,
      settings);
  CHECK(stopped.status == 130);
  CHECK_THAT(stopped.error, ContainsSubstring("stopped after step"));
  CHECK_THAT(stopped.error, ContainsSubstring("--resume"));
  CHECK(fs::exists(scratch / "long/metrics.jsonl"));
  CHECK_FALSE(fs::is_empty(scratch / "long/checkpoints"));
}

// The runs of an experiment, within one process of the test: on one thread each.
#include "train/experiment/scheduler.h"

#include "engine/parallel.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/training.h"
#include "train/experiment/run_process.h"
#include "train/files.h"

using namespace normlab;

TEST_CASE("a run in a process of its own gives the result of one in this process, and tells its steps") {
  const Training t;
  const test::TemporaryFolder folder;
  RunSettings settings;
  settings.quiet = true;
  settings.folder = folder / "here";
  const RunResult here = run_one(t.config, settings);
  settings.folder = folder / "there";
  RunProcess process(t.config, settings, 1);
  while (!process.ended()) {
  }
  CHECK(process.ended()->end == RunProcess::End::done);
  CHECK(process.steps().done == 8);
  CHECK(process.steps().all == 8);
  CHECK(finished_run(t.config, settings.folder)->final_nll == here.final_nll);

  // What goes wrong there is told here; the folder now holds a finished run, but not of this config.
  Config other = t.config;
  other.seed = 2;
  RunProcess wrong(other, settings, 1);
  while (!wrong.ended()) {
  }
  CHECK(wrong.ended()->end == RunProcess::End::wrong_input);
  CHECK_THAT(wrong.ended()->message, ContainsSubstring("holds another experiment"));
}

TEST_CASE("a process that is asked to stop does so after a checkpoint; one that is no longer wanted is killed") {
  const Training t({"train.steps=1000000"});
  const test::TemporaryFolder folder;
  RunSettings settings;
  settings.quiet = true;
  settings.folder = folder / "asked";
  RunProcess process(t.config, settings, 1);
  while (process.steps().done < 2) {
  }
  process.ask_to_stop();
  process.ask_to_stop();  // as often as one likes
  while (!process.ended()) {
  }
  INFO(process.ended()->message);
  CHECK(process.ended()->end == RunProcess::End::interrupted);
  CHECK(latest_checkpoint(settings.folder / "checkpoints").has_value());
  settings.folder = folder / "killed";
  { RunProcess unwanted(t.config, settings, 1); }
  CHECK_FALSE(std::filesystem::exists(settings.folder / "result.json"));
}

TEST_CASE("memory is asked for as many runs as go side by side") {
  const Training t;
  CHECK_NOTHROW(require_memory(t.config, *t.data, 2));
  CHECK_THROWS_WITH(require_memory(t.config, *t.data, 1'000'000'000),
                    ContainsSubstring("too little for 1000000000 runs side by side"));
}

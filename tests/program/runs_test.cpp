// The runs of an experiment: side by side, stopped and gone on with, failing, locked, shared between experiments.
#include <sys/file.h>

#include <future>

#include "engine/random.h"
#include "program.h"
#include "tests/support/catch.h"

using namespace normlab_tests;

namespace {

// Four runs of two sizes; a checkpoint every step.
const char* const kSweep = R"({
  "question": "Do runs get in each other's way?",
  "model": {"layers": 1, "width": 16, "heads": 2, "feed_forward": 32, "dropout": 0.1},
  "data": {"kind": "synthetic", "train_tokens": 4000, "valid_tokens": 500, "test_tokens": 500,
           "batching": {"kind": "sentences", "tokens_per_batch": 512}},
  "train": {"steps": 20, "evaluate_every": 10, "checkpoint_every": 1, "log_every": 1,
            "optimizer": {"kind": "adam", "rate": 1e-3}},
  "sweep": {"seeds": [1, 2], "axes": [{"model.layers": [1, 2]}]}
})";
const std::vector<std::string> kNames = {"layers=1_seed=1", "layers=1_seed=2", "layers=2_seed=1", "layers=2_seed=2"};
const std::vector<std::string> kEndless = {"train.steps=1000000", "train.checkpoint_every=0"};

struct World {
  World() { spill(scratch / "config.json", kSweep); }
  Outcome run(const std::string& out, std::vector<std::string> more = {}, const Settings& settings = {}) {
    std::vector<std::string> arguments{"run", (scratch / "config.json").string(), "--out", (scratch / out).string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments, scratch, settings);
  }
  fs::path folder(const std::string& out, const std::string& name) const { return scratch / out / "runs" / name; }
  Scratch scratch;
};

// Every run of `out` has the bytes of that of `whole`.
void check_same(const World& world, const std::string& out, const std::string& whole) {
  for (const std::string& name : kNames) {
    INFO(out << " " << name);
    const fs::path own = world.folder(out, name), other = world.folder(whole, name);
    const std::string metrics = without_times(slurp(own / "metrics.jsonl"));
    CHECK_FALSE(metrics.empty());
    CHECK(metrics == without_times(slurp(other / "metrics.jsonl")));
    CHECK(slurp(own / "config.json") == slurp(other / "config.json"));
    const std::string checkpoint = "checkpoints/step_000000020.safetensors";
    const bool same_checkpoint = slurp(own / checkpoint) == slurp(other / checkpoint);
    CHECK(same_checkpoint);
  }
}

// Runs the program while the test goes on; the scratch folder of its own keeps its output apart.
std::future<Outcome> begin(World& world, const std::string& out, std::vector<std::string> more,
                           const Settings& settings, const Scratch& output) {
  std::vector<std::string> arguments{"run", (world.scratch / "config.json").string(), "--out",
                                     (world.scratch / out).string()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return std::async(std::launch::async, [=, &output] { return run_program(arguments, output, settings); });
}

void wait_for(const fs::path& file) {
  for (int i = 0; i < 3000 && (!fs::exists(file) || fs::is_empty(file)); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  REQUIRE(fs::exists(file));
}

std::vector<std::string> both(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

TEST_CASE("without validation text an experiment ends in its table and report all the same") {
  World world;
  const Outcome outcome = world.run("out", {"data.valid_tokens=0", "train.steps=2"});
  INFO(outcome.error);
  CHECK(outcome.status == 0);
  CHECK_THAT(outcome.error, ContainsSubstring("layers=1, seed 1: trained, "));
  CHECK(fs::exists(world.scratch / "out/report.html"));
  CHECK_THAT(slurp(world.folder("out", kNames[0]) / "result.json"), ContainsSubstring("\"final_nll\": \"nan\""));
}

TEST_CASE("runs side by side leave the same bytes as one by one, on any number of threads") {
  World world;
  const Outcome one = world.run("one", {"--side-by-side", "1", "--threads", "2"});
  INFO(one.error);
  REQUIRE(one.status == 0);
  CHECK_THAT(one.error, ContainsSubstring("[4/4] layers=2, seed 2: valid perplexity "));
  const Outcome three = world.run("three", {"--side-by-side", "3", "--threads", "4"});
  REQUIRE(three.status == 0);
  const Outcome by_default = world.run("default", {"--threads", "2", "--quiet"});
  REQUIRE(by_default.status == 0);
  CHECK(by_default.error.empty());
  check_same(world, "three", "one");
  check_same(world, "default", "one");
  const auto table = [](const Outcome& outcome) { return outcome.out.substr(0, outcome.out.find("unigram")); };
  CHECK(table(three) == table(one));
  CHECK_THAT(slurp(world.folder("default", kNames[0]) / "run.json"), ContainsSubstring("\"threads\": \"1\""));
  CHECK_THAT(slurp(world.folder("one", kNames[0]) / "run.json"), ContainsSubstring("\"threads\": \"2\""));
}

TEST_CASE("a run that cannot be done stops the others in good order, and is named") {
  World world;
  spill(world.scratch / "out/runs" / kNames[1], "in the way");
  const Outcome outcome = world.run("out", both(kEndless, {"--side-by-side", "4"}));
  INFO(outcome.error);
  CHECK(outcome.status == 2);
  CHECK_THAT(outcome.error, ContainsSubstring("normlab: layers=1, seed 2: ") && ContainsSubstring("in good order") &&
                                ContainsSubstring("--resume"));
  for (const std::string& name : {kNames[0], kNames[2], kNames[3]}) {
    INFO(name);
    CHECK_FALSE(fs::is_empty(world.folder("out", name) / "checkpoints"));
  }
}

TEST_CASE("a sweep of models that cannot fit is refused before anything is written") {
  World world;
  const Outcome outcome = world.run("out", {"--side-by-side", "2", "model.width=65536"});
  INFO(outcome.error);
  CHECK(outcome.status == 2);
  CHECK_THAT(outcome.error, ContainsSubstring("memory"));
  CHECK_FALSE(fs::exists(world.scratch / "out"));
}

TEST_CASE("a folder that another process writes into is refused with that process's number") {
  World world;
  REQUIRE(world.run("out").status == 0);
  fs::remove(world.folder("out", kNames[2]) / "result.json");
  for (const fs::path& folder : {world.scratch / "out", world.folder("out", kNames[2])}) {
    spill(folder / ".lock", "1234");
    const int file = open((folder / ".lock").c_str(), O_RDWR | O_CLOEXEC);
    REQUIRE(flock(file, LOCK_EX | LOCK_NB) == 0);
    const Outcome outcome = world.run("out", {"--resume"});
    INFO(outcome.error);
    CHECK(outcome.status == 2);
    CHECK_THAT(outcome.error, ContainsSubstring(folder.string() + ": process 1234 is writing into this folder"));
    close(file);
  }
  CHECK(world.run("out", {"--resume"}).status == 0);
}

TEST_CASE("finished runs of the same config are taken over from another experiment, with a note") {
  World world;
  REQUIRE(world.run("first").status == 0);
  const std::string root = world.scratch.path().string();
  const Outcome second = world.run("paper/second", {"--share", root, "sweep.seeds=[2,3]", "question=Another?"});
  INFO(second.error);
  REQUIRE(second.status == 0);
  CHECK_THAT(second.error, ContainsSubstring("2 runs taken over from other experiments in " + root));
  const fs::path own = world.folder("paper/second", kNames[1]), other = world.folder("first", kNames[1]);
  for (const std::string file : {"metrics.jsonl", "metrics.csv", "config.json", "result.json"}) {
    CHECK(slurp(own / file) == slurp(other / file));
  }
  CHECK_THAT(slurp(own / "run.json"), ContainsSubstring("\"shared_from\": \"" + other.string() + "\""));
  CHECK(fs::hard_link_count(own / "checkpoints/step_000000020.safetensors") == 2);
  // What was taken over can be taken over in turn, and still says where it was done; a single run as well.
  fs::remove_all(world.scratch / "first");
  const Outcome third = world.run("third", {"--share", root, "sweep.seeds=[2]"});
  CHECK_THAT(third.error, ContainsSubstring("2 runs taken over"));
  CHECK_THAT(slurp(world.folder("third", kNames[1]) / "run.json"), ContainsSubstring(other.string()));
  const fs::path run = world.folder("third", kNames[1]) / "config.json";
  const Outcome alone =
      run_program({"run", run.string(), "--out", (world.scratch / "alone").string(), "--share", root}, world.scratch);
  CHECK(alone.status == 0);
  CHECK_THAT(alone.error, ContainsSubstring("1 run taken over"));
  // Another folder that was asked for by name is a repetition that was asked for.
  const Outcome again = world.run("again", {"sweep.seeds=[2]"});
  CHECK(again.error.find("taken over") == std::string::npos);
  const Outcome other_rate = world.run("rate", {"--share", root, "train.optimizer.rate=2e-3"});
  CHECK(other_rate.error.find("taken over") == std::string::npos);
}

TEST_CASE("a run that was taken over by half goes on to the same bytes") {
  World world;
  REQUIRE(world.run("first").status == 0);
  // An unfinished beginning of the first run, whose taking over cannot be done to the end.
  const fs::path own = world.folder("second", kNames[0]), other = world.folder("first", kNames[0]);
  fs::create_directories(own / "run.json");
  fs::copy_file(other / "config.json", own / "config.json");
  const std::string metrics = slurp(other / "metrics.jsonl");
  spill(own / "metrics.jsonl", metrics.substr(0, metrics.find('\n', metrics.size() / 2) + 1));
  const std::string root = world.scratch.path().string();
  const Outcome half = world.run("second", {"--resume", "--share", root});
  INFO(half.error);
  CHECK(half.status == 1);
  CHECK_FALSE(fs::exists(own / "result.json"));
  fs::remove_all(own / "run.json");
  const Outcome again = world.run("second", {"--resume", "--share", "none"});
  INFO(again.error);
  REQUIRE(again.status == 0);
  check_same(world, "second", "first");
}

TEST_CASE("what a folder without a run still holds is not taken for the run's") {
  World world;
  REQUIRE(world.run("first").status == 0);
  const fs::path own = world.folder("second", kNames[0]), other = world.folder("first", kNames[0]);
  fs::create_directories(own);
  fs::copy(other / "checkpoints", own / "checkpoints", fs::copy_options::recursive);
  fs::rename(own / "checkpoints/step_000000020.safetensors", own / "checkpoints/step_000000090.safetensors");
  fs::copy_file(other / "result.json", own / "result.json");
  REQUIRE(world.run("second").status == 0);
  check_same(world, "second", "first");
  CHECK_FALSE(fs::exists(own / "checkpoints/step_000000090.safetensors"));
}

TEST_CASE("times are measured anew, with the machine to themselves") {
  Scratch scratch;
  spill(scratch / "config.json", R"({"question": "?", "model": {"layers": 1, "width": 16, "heads": 2},
    "data": {"valid_tokens": 100, "train_tokens": 4000}, "train": {"steps": 0},
    "experiment": {"kind": "inference_time", "fold": false, "sequences": 1, "length": 4, "turns": 3},
    "sweep": {"seeds": [1, 2]}})");
  for (const std::string out : {"first", "second"}) {
    const Outcome outcome = run_program({"run", (scratch / "config.json").string(), "--out", (scratch / out).string(),
                                         "--threads", "2", "--share", scratch.path().string()},
                                        scratch);
    INFO(outcome.error);
    REQUIRE(outcome.status == 0);
    CHECK(outcome.error.find("taken over") == std::string::npos);
    for (const std::string seed : {"1", "2"}) {
      CHECK_THAT(slurp(scratch / (out + "/runs/seed=" + seed + "/run.json")), ContainsSubstring("\"threads\": \"2\""));
    }
  }
}

TEST_CASE("a folder to share from must be there") {
  World world;
  const std::string typo = (world.scratch / "typo").string();
  const Outcome outcome = world.run("out", {"--share", typo});
  CHECK(outcome.status == 2);
  CHECK_THAT(outcome.error, ContainsSubstring("--share: " + typo + " is no folder"));
  CHECK_FALSE(fs::exists(world.scratch / "out"));
}

TEST_CASE("a run on other data, by another program, on another processor or with other products is not taken over") {
  Scratch scratch;
  spill(scratch / "config.json", R"({"question": "?", "model": {"layers": 1, "width": 16, "heads": 2},
    "data": {"kind": "text", "folder": "corpus", "train": "train.txt", "valid": "valid.txt", "unknown": "error",
             "batching": {"kind": "continuous", "sequence_length": 8, "sequences": 4}},
    "train": {"steps": 2}})");
  const auto corpus = [&](const std::string& last, const std::string& valid = "a b\nc a\n") {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "a b c\n";
    spill(scratch / "corpus/train.txt", text + last);
    spill(scratch / "corpus/valid.txt", valid);
  };
  const auto taken = [&](const std::string& out) {
    const Outcome outcome = run_program({"run", (scratch / "config.json").string(), "--out", (scratch / out).string(),
                                         "--data", scratch.path().string(), "--share", scratch.path().string()},
                                        scratch);
    REQUIRE(outcome.status == 0);
    return outcome.error.find("taken over") != std::string::npos;
  };
  corpus("a b c\n");
  CHECK_FALSE(taken("first"));
  corpus("a c b\n");
  CHECK_FALSE(taken("second"));
  CHECK(taken("third"));
  for (const std::string field : {"program", "processor", "gemm"}) {
    INFO(field);
    for (const auto& entry : fs::directory_iterator(scratch.path())) {
      if (!fs::exists(entry.path() / "run.json")) continue;
      std::string made = slurp(entry.path() / "run.json");
      made.insert(made.find("\"" + field + "\": \"") + field.size() + 5, "other ");
      spill(entry.path() / "run.json", made);
    }
    CHECK_FALSE(taken("other " + field));
    CHECK(taken("same " + field));
  }
  corpus("a c b\n", "b c\n");
  CHECK_FALSE(taken("other valid"));
}

TEST_CASE("an experiment that is done tells its claims also when its data have gone or changed") {
  Scratch scratch;
  spill(scratch / "config.json", R"({"question": "?", "model": {"layers": 1, "width": 16, "heads": 2},
    "data": {"kind": "text", "folder": "corpus", "train": "train.txt", "valid": "valid.txt", "unknown": "error",
             "batching": {"kind": "continuous", "sequence_length": 8, "sequences": 4}},
    "train": {"steps": 2}, "sweep": {"seeds": [1, 2]}})");
  std::string text;
  for (int i = 0; i < 100; ++i) text += "a b c\n";
  spill(scratch / "corpus/train.txt", text);
  spill(scratch / "corpus/valid.txt", "a b\nc a\n");
  const auto run = [&] {
    return run_program({"run", (scratch / "config.json").string(), "--out", (scratch / "out").string(), "--data",
                        scratch.path().string(), "--resume"},
                       scratch);
  };
  const Outcome before = run();
  REQUIRE(before.status == 0);
  CHECK_THAT(before.out, ContainsSubstring("unigram"));
  spill(scratch / "corpus/valid.txt", "a b\nc b\n");
  for (const bool gone : {false, true}) {
    if (gone) fs::remove_all(scratch / "corpus");
    const Outcome after = run();
    INFO(after.error);
    CHECK(after.status == 0);
    CHECK_THAT(after.error, ContainsSubstring("the data of the runs are no longer there"));
    CHECK(after.out.find("unigram") == std::string::npos);
    CHECK(after.out.substr(0, 100) == before.out.substr(0, 100));
  }
}

TEST_CASE("an experiment killed at any moment goes on to the same bytes, and leaves no process behind", "[slow]") {
  World world;
  const auto start = std::chrono::steady_clock::now();
  REQUIRE(world.run("whole", {"--side-by-side", "2"}).status == 0);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  normlab::Random random(2024, "kill");
  for (int kills = 0, lap = 0; kills < 12; ++lap) {
    const std::string out = "killed" + std::to_string(lap);
    for (;;) {
      Settings settings;
      settings.signal_after = kills < 12 ? random.uniform() * seconds * 0.6 : -1;
      const Outcome outcome = world.run(out, {"--side-by-side", "2", "--resume"}, settings);
      if (outcome.status == -SIGKILL) {
        ++kills;
        continue;
      }
      INFO(outcome.error);
      REQUIRE(outcome.status == 0);
      break;
    }
    check_same(world, out, "whole");
  }
}

TEST_CASE("Ctrl-C stops all runs after a checkpoint each; --resume goes on to the same bytes", "[slow]") {
  World world;
  REQUIRE(world.run("whole").status == 0);
  Settings settings;
  settings.signal = GENERATE(SIGINT, SIGTERM);
  Scratch output;
  auto running = begin(world, "out", both(kEndless, {"--side-by-side", "2"}), {}, output);
  wait_for(world.folder("out", kNames[0]) / "metrics.jsonl");
  wait_for(world.folder("out", kNames[1]) / "metrics.jsonl");
  // As from a terminal, which sends the signal to the children too.
  for (const fs::path& folder :
       {world.folder("out", kNames[0]), world.folder("out", kNames[1]), world.scratch / "out"}) {
    kill(std::stoi(slurp(folder / ".lock")), settings.signal);
  }
  const Outcome stopped = running.get();
  INFO(stopped.error);
  CHECK(stopped.status == 130);
  CHECK_THAT(stopped.error, ContainsSubstring("stopped with 0 of 4 runs done (layers=1, seed ") &&
                                ContainsSubstring("stopped after step") && ContainsSubstring("--resume"));
  for (int i : {0, 1})
    CHECK_FALSE(fs::is_empty(world.folder("out", kNames[static_cast<std::size_t>(i)]) / "checkpoints"));
  CHECK_FALSE(fs::exists(world.folder("out", kNames[2])));

  // A session stopped somewhere in the middle, and another that ends it.
  settings.signal_after = 0.3;
  for (int session = 0; session < 2; ++session) {
    const Outcome outcome = world.run("half", {"--side-by-side", "2", "--resume"}, settings);
    CHECK((outcome.status == 130 || outcome.status == 0));
  }
  REQUIRE(world.run("half", {"--side-by-side", "2", "--resume"}).status == 0);
  check_same(world, "half", "whole");
}

TEST_CASE("a run whose process is killed is named; the others stop in good order", "[slow]") {
  World world;
  Scratch output;
  auto running = begin(world, "out", both(kEndless, {"--side-by-side", "2"}), {}, output);
  wait_for(world.folder("out", kNames[0]) / "metrics.jsonl");
  wait_for(world.folder("out", kNames[1]) / "metrics.jsonl");
  kill(std::stoi(slurp(world.folder("out", kNames[1]) / ".lock")), SIGKILL);
  const Outcome outcome = running.get();
  INFO(outcome.error);
  CHECK(outcome.status == 1);
  CHECK_THAT(outcome.error, ContainsSubstring("layers=1, seed 2: its process was ended by signal 9"));
  CHECK_FALSE(fs::is_empty(world.folder("out", kNames[0]) / "checkpoints"));
}

// The program from outside: exit statuses, messages, files, and the same bits on any number of threads.
#include <regex>

#include "program.h"
#include "tests/support/catch.h"

using namespace normlab_tests;

namespace {

// Small enough to train in a second.
const char* const kSmall = R"({
  "question": "Does it run?",
  "model": {"layers": 1, "width": 16, "heads": 2, "feed_forward": 32, "dropout": 0.1, "activation_dropout": 0.1},
  "data": {"kind": "synthetic", "train_tokens": 4000, "valid_tokens": 500, "test_tokens": 500,
           "batching": {"kind": "sentences", "tokens_per_batch": 512}},
  "train": {"steps": 6, "evaluate_every": 3, "checkpoint_every": 2, "log_every": 1,
            "optimizer": {"kind": "adam", "rate": 1e-3}}
})";

std::string replaced(std::string whole, const std::string& part, const std::string& by) {
  const std::size_t at = whole.find(part);
  REQUIRE(at != std::string::npos);
  return whole.replace(at, part.size(), by);
}

bool has(const std::string& whole, const std::string& pattern) { return std::regex_search(whole, std::regex(pattern)); }

struct World {
  World() { write(kSmall); }
  void write(const std::string& json) { spill(scratch / "config.json", json); }
  Outcome run(std::vector<std::string> arguments, const Settings& settings = {}) {
    return run_program(arguments, scratch, settings);
  }
  Outcome train(const std::string& out, std::vector<std::string> more = {}, const Settings& settings = {}) {
    std::vector<std::string> arguments{"run", (scratch / "config.json").string(), "--out", (scratch / out).string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments, settings);
  }
  Scratch scratch;
};

// A bad config: exit status 2, the message holds every part, and no folder was made.
void check_refused(World& world, const std::string& json, const std::vector<std::string>& parts,
                   std::vector<std::string> more = {}, int status = 2) {
  world.write(json);
  const Outcome outcome = world.train("refused", more);
  INFO(outcome.error);
  CHECK(outcome.status == status);
  for (const std::string& part : parts) CHECK_THAT(outcome.error, ContainsSubstring(part));
  CHECK_FALSE(fs::exists(world.scratch / "refused"));
}

}  // namespace

TEST_CASE("a run leaves what the design promises, and its resolved config gives the same run") {
  World world;
  const Outcome first = world.train("first");
  INFO(first.error);
  REQUIRE(first.status == 0);
  CHECK_THAT(first.out, ContainsSubstring("Does it run?"));
  CHECK_THAT(first.out, ContainsSubstring("bigram"));
  for (const std::string file : {"config.json", "run.json", "metrics.jsonl", "metrics.csv", "result.json",
                                 "checkpoints/step_000000006.safetensors", "figures/validation.csv"}) {
    INFO(file);
    CHECK(fs::exists(world.scratch / ("first/" + file)));
  }
  const Outcome second =
      world.run({"run", (world.scratch / "first/config.json").string(), "--out", (world.scratch / "second").string()});
  REQUIRE(second.status == 0);
  CHECK(slurp(world.scratch / "first/config.json") == slurp(world.scratch / "second/config.json"));
  CHECK(without_times(slurp(world.scratch / "first/metrics.jsonl")) ==
        without_times(slurp(world.scratch / "second/metrics.jsonl")));
}

TEST_CASE("the same bits on 1, 2 and 4 threads, with OMP_NUM_THREADS set and unset") {
  World world;
  // Large enough that products, norms, losses, clipping and steps are shared among threads.
  const bool translation = GENERATE(false, true);
  CAPTURE(translation);
  world.write(translation ? R"({
    "question": "Does it run?",
    "model": {"kind": "translation",
              "encoder": {"layers": 1, "width": 128, "heads": 4, "feed_forward": 256, "norm": {"kind": "power"}},
              "decoder": {"layers": 1, "width": 128, "heads": 4, "feed_forward": 256}},
    "data": {"kind": "synthetic_translation", "train_pairs": 1000, "valid_pairs": 30, "test_pairs": 30,
             "tokens_per_batch": 1500},
    "train": {"steps": 4, "evaluate_every": 2, "log_every": 1, "clip": 0.3,
              "optimizer": {"kind": "adamw", "rate": 1e-3}}
  })"
                          : R"({
    "question": "Does it run?",
    "model": {"layers": 1, "width": 128, "heads": 4, "feed_forward": 256, "dropout": 0.1, "norm": {"kind": "batch"}},
    "data": {"kind": "synthetic", "train_tokens": 8000, "valid_tokens": 2000, "test_tokens": 500,
             "batching": {"kind": "sentences", "tokens_per_batch": 1500}},
    "train": {"steps": 4, "evaluate_every": 2, "log_every": 1, "clip": 0.3, "accumulate": 2,
              "optimizer": {"kind": "sgd", "rate": 0.1, "momentum": 0.9}}
  })");
  const auto bits_of = [&](const std::string& folder, const std::vector<std::string>& more, const Settings& settings) {
    const Outcome outcome = world.train(folder, more, settings);
    INFO(outcome.error);
    REQUIRE(outcome.status == 0);
    return without_times(slurp(world.scratch / (folder + "/metrics.jsonl"))) +
           slurp(world.scratch / (folder + "/checkpoints/step_000000004.safetensors"));
  };
  const std::string one = bits_of("base", {"--threads", "1"}, {});
  for (const std::string threads : {"1", "2", "4"}) {
    INFO(threads);
    CHECK((bits_of("threads" + threads, {"--threads", threads}, {}) == one));  // too long to be shown
    Settings settings;
    settings.environment = {{"OMP_NUM_THREADS", threads}};
    CHECK((bits_of("omp" + threads, {}, settings) == one));
  }
  Settings unset;
  unset.environment = {{"OMP_NUM_THREADS", ""}};
  CHECK((bits_of("unset", {}, unset) == one));
}

TEST_CASE("probes change nothing of what is trained") {
  World world;
  REQUIRE(world.train("base").status == 0);
  REQUIRE(world.train("probes", {"probes.every=1"}).status == 0);
  CHECK(without_times(slurp(world.scratch / "probes/metrics.jsonl")) ==
        without_times(slurp(world.scratch / "base/metrics.jsonl")));
  CHECK_THAT(slurp(world.scratch / "probes/probes.jsonl"), ContainsSubstring("layers.0.attention.out"));
}

TEST_CASE("a run that another program goes on with says so, and other data are refused") {
  World world;
  REQUIRE(world.train("run").status == 0);
  const fs::path folder = world.scratch / "run";
  const std::string made = slurp(folder / "run.json");
  const auto rewind = [&](const std::string& run_json) {  // to the checkpoint of step 4
    fs::remove(folder / "result.json");
    fs::remove(folder / "checkpoints/step_000000006.safetensors");
    spill(folder / "run.json", run_json);
  };
  rewind(made);
  REQUIRE(world.train("run", {"--resume"}).status == 0);
  CHECK(slurp(folder / "run.json") == made);
  rewind(replaced(made, "\"program\": \"", "\"program\": \"older-"));
  REQUIRE(world.train("run", {"--resume"}).status == 0);
  CHECK_THAT(slurp(folder / "run.json"), ContainsSubstring("\"program\": \"older-") && ContainsSubstring(", then "));
  rewind(replaced(made, "\"data\": \"", "\"data\": \"other-"));
  const Outcome refused = world.train("run", {"--resume"});
  CHECK(refused.status == 2);
  CHECK_THAT(refused.error, ContainsSubstring("the run was begun on other data (their hash was other-"));
}

TEST_CASE("a folder that holds a finished, an unfinished or another run") {
  World world;
  REQUIRE(world.train("done").status == 0);
  const std::string before = slurp(world.scratch / "done/metrics.jsonl");
  const Outcome again = world.train("done");
  CHECK(again.status == 0);  // nothing is repeated
  CHECK(slurp(world.scratch / "done/metrics.jsonl") == before);

  const Outcome other = world.train("done", {"model.width=32"});
  CHECK(other.status == 2);
  CHECK_THAT(other.error, ContainsSubstring("holds another experiment"));
  CHECK_THAT(other.error, ContainsSubstring("\"width\": 16"));
  CHECK_THAT(other.error, ContainsSubstring("--out"));

  fs::copy(world.scratch / "done", world.scratch / "half", fs::copy_options::recursive);
  fs::remove(world.scratch / "half/result.json");
  const Outcome unfinished = world.train("half");
  CHECK(unfinished.status == 2);
  CHECK_THAT(unfinished.error, ContainsSubstring("--resume"));
  CHECK(world.train("half", {"--resume"}).status == 0);
  CHECK(without_times(slurp(world.scratch / "half/metrics.jsonl")) == without_times(before));
}

TEST_CASE("a checkpoint that is cut or of another model is refused with what to do") {
  World world;
  REQUIRE(world.train("run").status == 0);
  fs::remove(world.scratch / "run/result.json");
  const fs::path last = world.scratch / "run/checkpoints/step_000000006.safetensors";
  const std::string whole = slurp(last);
  spill(last, whole.substr(0, whole.size() / 2));
  const Outcome cut = world.train("run", {"--resume"});
  CHECK(cut.status == 2);
  CHECK_THAT(cut.error, ContainsSubstring("step_000000006.safetensors"));
  CHECK_THAT(cut.error, ContainsSubstring("delete it"));
  REQUIRE(world.train("wide", {"model.width=32"}).status == 0);
  fs::copy_file(world.scratch / "wide/checkpoints/step_000000006.safetensors", last,
                fs::copy_options::overwrite_existing);
  const Outcome other = world.train("run", {"--resume"});
  CHECK(other.status == 2);
  CHECK_THAT(other.error, ContainsSubstring("layers.0.attention.query.weight"));
}

TEST_CASE("bad configs: one message that says where, what was expected, what came; nothing is written") {
  World world;
  const std::string good = kSmall;
  check_refused(world, replaced(good, "\"width\"", "\"widht\""),
                {"config.json:3", "model.widht", "did you mean \"width\""});
  check_refused(world, replaced(good, "\"heads\": 2", "\"heads\": 3"), {"width", "16", "heads", "3"});
  check_refused(world, replaced(good, "\"layers\": 1", "\"layers\": \"one\""),
                {"model.layers", "whole number", "\"one\""});
  check_refused(world, replaced(good, "\"layers\": 1", "\"layers\": -1"), {"model.layers", "-1"});
  check_refused(world, replaced(good, "\"layers\": 1", "\"layers\": 1, \"layers\": 2"), {"model.layers", "twice"});
  check_refused(world, replaced(good, "\"steps\": 6", "\"steps\": 6, \"epochs\": 2"), {"steps", "epochs"});
  check_refused(world, replaced(good, "\"adam\"", "\"adamm\""), {"train.optimizer.kind", "adamm", "adam"});
  check_refused(world, replaced(good, "{", "{{"), {"config.json:1"});
  check_refused(world, "", {"config.json", "empty"});
  check_refused(world, good, {"command line", "model.widht", "width"}, {"model.widht=3"});
  check_refused(world, replaced(replaced(good, "\"width\"", "\"widht\""), "\"rate\"", "\"rat\""),
                {"model.widht", "train.optimizer.rat"});
}

TEST_CASE("a model that cannot fit is refused before anything is allocated") {
  World world;
  check_refused(world,
                replaced(replaced(kSmall, "\"width\": 16", "\"width\": 32768"), "\"layers\": 1", "\"layers\": 100"),
                {"memory", "parameters", "this machine has"});
}

TEST_CASE("bad data: missing folder, empty text, short text, unknown word") {
  World world;
  const std::string config = R"({"question": "?", "model": {"layers": 1, "width": 16, "heads": 2},
    "data": {"kind": "text", "folder": "corpus", "train": "train.txt", "valid": "valid.txt", "unknown": "error",
             "batching": {"kind": "continuous", "sequence_length": 8, "sequences": 4}},
    "train": {"steps": 2}})";
  const std::vector<std::string> data{"--data", world.scratch.path().string()};
  check_refused(world, config, {"corpus"}, data);
  spill(world.scratch / "corpus/train.txt", "");
  spill(world.scratch / "corpus/valid.txt", "a b\n");
  check_refused(world, config, {"train.txt", "empty"}, data);
  spill(world.scratch / "corpus/train.txt", "a b c\n");
  check_refused(world, config, {"train", "tokens", "batch"}, data);
  std::string text;
  for (int i = 0; i < 100; ++i) text += "a b c\n";
  spill(world.scratch / "corpus/train.txt", text);
  spill(world.scratch / "corpus/valid.txt", "a b\nc zebra\n");
  check_refused(world, config, {"valid.txt", "zebra", "2"}, data);
  world.write(config);
  spill(world.scratch / "corpus/valid.txt", "a b\nc a\n");
  const Outcome good = world.train("good", data);
  INFO(good.error);
  CHECK(good.status == 0);
}

TEST_CASE("the machine's failures: a folder that cannot be written") {
  World world;
  spill(world.scratch / "file", "in the way");
  const Outcome outcome = world.train("file/run");
  CHECK(outcome.status != 0);
  CHECK_THAT(outcome.error, ContainsSubstring("file/run"));
}

TEST_CASE("a diverged run says where, and ends with status 3; in a sweep it is a datum") {
  World world;
  world.write(replaced(kSmall, "\"kind\": \"adam\", \"rate\": 1e-3", "\"kind\": \"sgd\", \"rate\": 1e30"));
  const Outcome alone = world.train("alone");
  INFO(alone.error);
  CHECK(alone.status == 3);
  CHECK_THAT(alone.error, ContainsSubstring("diverged at step"));
  CHECK_THAT(slurp(world.scratch / "alone/result.json"), ContainsSubstring("\"final_nll\": \"inf\""));
  std::string sweep = kSmall;
  sweep.insert(sweep.rfind('}'), R"(, "sweep": {"seeds": [1, 2], "axes": [{"train.optimizer.rate": [1e-3, 1e30]}]})");
  world.write(replaced(replaced(sweep, "\"kind\": \"adam\"", "\"kind\": \"sgd\""), ", \"rate\": 1e-3", ""));
  const Outcome both = world.train("sweep");
  INFO(both.error << both.out);
  CHECK(both.status == 0);
  CHECK(has(both.out, "\n  rate=0.001 +2 +0 +[0-9.]+ +\\([0-9.]+ to [0-9.]+\\)\n"));
  CHECK(has(both.out, "\n  rate=1e\\+?30 +2 +2 +-\n"));
  const std::string summary = slurp(world.scratch / "sweep/summary.csv");
  INFO(summary);
  CHECK_THAT(summary, ContainsSubstring("arms,seed,parameters,diverged_step,valid_nll,best_nll,best_step"));
  CHECK(has(summary, "\nrun,6,rate=0.001,2,[0-9]+,0,([0-9.]+),\\1,6,"));
  CHECK(has(summary, "\nrun,[0-5],rate=1e\\+?30,1,[0-9]+,[1-6],inf,"));
}

TEST_CASE("check, list, schema and help") {
  World world;
  const Outcome check = world.run({"check", (world.scratch / "config.json").string()});
  INFO(check.error << check.out);
  CHECK(check.status == 0);
  CHECK_THAT(check.out, ContainsSubstring("agree with finite differences"));
  CHECK_THAT(check.out, ContainsSubstring("parameters"));
  const Outcome list = world.run({"list"});
  CHECK(list.status == 0);
  CHECK_THAT(list.out, ContainsSubstring("configs/quick.json"));
  const Outcome schema = world.run({"schema"});
  CHECK(schema.status == 0);
  CHECK_THAT(schema.out, ContainsSubstring("json-schema.org"));
  CHECK(world.run({"--help"}).status == 0);
  CHECK(world.run({"frobnicate"}).status == 2);
  CHECK(world.run({}).status == 2);
  CHECK(world.run({"run", (world.scratch / "absent.json").string()}).status == 2);
}

TEST_CASE("bench norms: a table, or JSON with a line a norm; what it cannot time is refused") {
  World world;
  const std::vector<std::string> small{"bench", "norms", "--rows", "64", "--features", "64", "--repeat", "2"};
  const auto with = [&](const std::string& option) {
    auto words = small;
    words.push_back(option);
    return words;
  };
  const Outcome table = world.run(small);
  INFO(table.error);
  CHECK(table.status == 0);
  CHECK_THAT(table.out, ContainsSubstring("copy y[i] = x[i]: ") && ContainsSubstring("\nlayer "));
  const Outcome json = world.run(with("--json"));
  CHECK(json.status == 0);
  CHECK(json.out.rfind("{\"norm\": \"layer\", \"pre_scale\": \"none\", \"rows\": 64, \"features\": 64, ", 0) == 0);
  CHECK_THAT(json.out, ContainsSubstring("\n{\"norm\": \"none\", \"pre_scale\": \"grouped_rms\", "));
  CHECK(world.run({"bench", "frobnicate"}).status == 2);
  const Outcome step = world.run({"bench", "step", "--rows", "64"});
  CHECK(step.status == 2);
  CHECK_THAT(step.error, ContainsSubstring("--rows and --features are of `bench ops` and `bench norms`"));
  const Outcome ops = world.run({"bench", "ops", "lm"});
  CHECK(ops.status == 2);
  CHECK_THAT(ops.error, ContainsSubstring("workloads, --gemm and --recompute are of `bench step`, got bench ops"));
  CHECK(world.run({"bench", "step", "frobnicate"}).status == 2);
}

TEST_CASE("on the made-up language each better model is better: unigram, bigram, one layer, four layers", "[slow]") {
  World world;
  const Outcome outcome =
      world.run({"run", "configs/depth.json", "--quiet", "--out", (world.scratch / "run").string()});
  INFO(outcome.out << outcome.error);
  REQUIRE(outcome.status == 0);
  // The number that follows a label at the start of a line of the table, or after the two columns of a model's row.
  const auto perplexity = [&](const std::string& label, int columns_before) {
    std::istringstream words(outcome.out.substr(outcome.out.find("\n  " + label) + 3 + label.size()));
    std::string skipped;
    for (int i = 0; i < columns_before; ++i) words >> skipped;
    double value = 0;
    words >> value;
    return value;
  };
  const double unigram = perplexity("unigram", 0), bigram = perplexity("bigram", 0), floor = perplexity("floor", 0);
  const double one = perplexity("layers=1", 2), four = perplexity("layers=4", 2);
  REQUIRE(floor > 1);
  CHECK(bigram < 0.9 * unigram);
  CHECK(one < 0.9 * bigram);
  CHECK(four < 0.9 * one);
  CHECK(floor < four);
}

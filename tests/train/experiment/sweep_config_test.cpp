// Sweeps: the runs they make, what is written of them, and the texts of all complaints.
#include "engine/error.h"
#include "tests/support/catch.h"
#include "train/experiment/experiment_config.h"
#include "train/task/language_modelling.h"

using namespace normlab;

namespace {

// A small config whose line 3 on is the sweep.
std::string with_sweep(const std::string& sweep, const std::string& more = "") {
  return "{\"question\": \"?\", \"train\": {\"steps\": 10}" + more + ",\n\"sweep\":\n" + sweep + "}";
}

Experiment parse(const std::string& json, const std::vector<std::string>& overrides = {}) {
  return parse_experiment(json, "test.json", overrides);
}

std::string complaint(const std::string& json, const std::vector<std::string>& overrides = {}) {
  try {
    parse(json, overrides);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

const LanguageModelConfig& model_of(const Run& run) {
  return dynamic_cast<const LanguageModelOptions&>(*run.config.model).config;
}

std::vector<std::string> names(const Experiment& experiment) {
  std::vector<std::string> all;
  for (const Run& run : experiment.runs) all.push_back(run.name);
  return all;
}

// The resolved experiment must make the same runs, and be resolved already.
void check_same_again(const Experiment& experiment) {
  const Experiment again = parse(to_lines(experiment.resolved));
  CHECK(to_lines(again.resolved) == to_lines(experiment.resolved));
  REQUIRE(names(again) == names(experiment));
  for (std::size_t i = 0; i < again.runs.size(); ++i) {
    CHECK(to_line(resolved(again.runs[i].config)) == to_line(resolved(experiment.runs[i].config)));
  }
}

}  // namespace

TEST_CASE("a sweep makes every combination of its arms with every seed") {
  const Experiment experiment = parse(with_sweep(R"({"seeds": [4, 5], "axes": [
      {"Post-LN": {"model.placement": "post", "model.final_norm": false}, "Pre-LN": {"model.placement": "pre"}},
      {"train.optimizer.rate": [1e-3, 5e-4]}]})"));
  CHECK(names(experiment) == std::vector<std::string>{"Post-LN_rate=0.001_seed=4", "Post-LN_rate=0.001_seed=5",
                                                      "Post-LN_rate=0.0005_seed=4", "Post-LN_rate=0.0005_seed=5",
                                                      "Pre-LN_rate=0.001_seed=4", "Pre-LN_rate=0.001_seed=5",
                                                      "Pre-LN_rate=0.0005_seed=4", "Pre-LN_rate=0.0005_seed=5"});
  const Run& run = experiment.runs[3];
  CHECK(run.arms == std::vector<std::string>{"Post-LN", "rate=0.0005"});
  CHECK(run.seed == 5);
  CHECK(run.config.seed == 5);
  CHECK_FALSE(model_of(run).final_norm);
  CHECK(run.config.train.optimizer->rate == 5e-4);
  CHECK(model_of(experiment.runs[6]).final_norm);
  CHECK(find_path(resolved(run.config), "sweep") == nullptr);
  CHECK(to_line(*find_path(resolved(run.config), "model.placement")) == "\"post\"");
  check_same_again(experiment);
}

TEST_CASE("a sweep may be of seeds alone or of arms alone") {
  CHECK(names(parse(with_sweep("{\"seeds\": [1, 2]}"))) == std::vector<std::string>{"seed=1", "seed=2"});
  CHECK(names(parse(with_sweep("{\"axes\": [{\"model.width\": [64, 128]}]}", ", \"seed\": 3"))) ==
        std::vector<std::string>{"width=64_seed=3", "width=128_seed=3"});
  CHECK(names(parse(with_sweep("{}"))) == std::vector<std::string>{"seed=1"});
}

TEST_CASE("the names of runs are fit for folders") {
  CHECK(names(parse(with_sweep(R"({"axes": [{"a/b, c": {}, "..": {}}]})"))) ==
        std::vector<std::string>{"a-b--c_seed=1", "-._seed=1"});
  CHECK(complaint(with_sweep(R"({"axes": [{"a b": {}, "a-b": {}}]})")) ==
        "test.json:3: sweep: two runs would have the name a-b_seed=1");
}

TEST_CASE("a resolved experiment makes the same runs where defaults hang on what an arm sets") {
  // Another kind has other options, and inverse_sqrt's decay_steps follow the ramp.
  const Experiment experiment = parse(R"({"question": "?", "model": {"width": 64},
    "train": {"steps": 10, "schedule": {"warmup_steps": 3, "decay": {"kind": "inverse_sqrt"}}},
    "sweep": {"axes": [{"Adam": {}, "SGD": {"train.optimizer.kind": "sgd"}},
                       {"train.schedule.warmup_steps": [2, 4]}]}})");
  REQUIRE(experiment.runs.size() == 4);
  CHECK(experiment.runs[0].config.train.optimizer.kind() == "adam");
  CHECK(experiment.runs[2].config.train.optimizer.kind() == "sgd");
  const auto decay_steps = [](const Run& run) {
    return to_line(*find_path(resolved(run.config), "train.schedule.decay.decay_steps"));
  };
  CHECK(decay_steps(experiment.runs[0]) == "2");
  CHECK(decay_steps(experiment.runs[1]) == "4");
  CHECK(find_path(experiment.resolved, "train.schedule.decay.decay_steps") == nullptr);
  CHECK(find_path(experiment.resolved, "train.optimizer.beta1") == nullptr);
  CHECK(find_path(experiment.resolved, "train.clip") != nullptr);
  check_same_again(experiment);
}

TEST_CASE("a problem of an arm is told with the arm and its line") {
  CHECK(complaint(with_sweep("{\"axes\": [{\n\"A\": {\"model.placement\": \"past\"},\n\"B\": {}},\n"
                             "{\"train.optimizer.rate\": [1, -1, 2]}]}")) ==
        "test.json:4: in the arm \"A\": model.placement: must be one of pre, post; got \"past\"; "
        "did you mean \"post\"?\n"
        "test.json:6: in the arm \"rate=-1\": train.optimizer.rate: must be at least 0, got -1");
  CHECK(complaint(with_sweep("{\"axes\": [{\n\"A\": {\"modle.placement\": \"post\"}}]}")) ==
        "test.json:4: in the arm \"A\": modle: unknown key; did you mean \"model\"? "
        "known here: experiment, seed, init_seed, data_seed, dtype, model, data, train, probes");
  CHECK(complaint(with_sweep("{\"axes\": [{\n\"A\": {\"train.steps.x\": 1}, \"B\": {}}]}")) ==
        "test.json:4: in the arm \"A\": train.steps.x: train.steps is 10, which has nothing named \"x\"");
  // Only together are these two wrong.
  CHECK(complaint(with_sweep("{\"axes\": [{\"model.width\": [32, 36]}, {\n\"model.heads\": [4, 8]}]}"))
            .find("in the arms \"width=36\", \"heads=8\": model.heads: ") != std::string::npos);
}

TEST_CASE("a problem of the config itself is told once, not again for each arm") {
  CHECK(complaint("{\"question\": 1, \"train\": {\"steps\": 10},\n\"sweep\": {\"axes\": [{\"A\": {}, \"B\": {}}]}}") ==
        "test.json:1: question: must be a string, got the number 1");
}

TEST_CASE("a badly formed sweep is refused") {
  const auto about = [](const std::string& sweep) { return complaint(with_sweep(sweep)); };
  CHECK(about("[]") == "test.json:2: sweep: must be an object, got a list");
  CHECK(about("{\"seed\": [1]}") ==
        "test.json:3: sweep.seed: unknown key; did you mean \"seeds\"? known here: seeds, axes");
  CHECK(about("{\"seeds\": [1, 2, 1]}") == "test.json:3: sweep.seeds: a seed is given twice");
  CHECK(about("{\"seeds\": [1.5]}") == "test.json:3: sweep.seeds[0]: must be a whole number, got the number 1.5");
  CHECK(about("{\"axes\": {}}") == "test.json:3: sweep.axes: must be a list of axes");
  CHECK(about("{\"axes\": [{}]}") ==
        "test.json:3: sweep.axes[0]: must be an object of named arms, or of one path with a list of its values");
  CHECK(about("{\"axes\": [{\"model.width\": []}]}") ==
        "test.json:3: sweep.axes[0].model.width: must hold at least one value");
  CHECK(about("{\"axes\": [{\"A\": {}, \"B\": 3}]}") ==
        "test.json:3: sweep.axes[0].B: must be an object of paths with their values, "
        "or alone in its axis and a list of values");
  CHECK(about("{\"axes\": [{\"A\": {}, \"A\": {}}]}") == "test.json:3: sweep.axes[0].A: given twice, first on line 3");
  CHECK(about("{\"axes\": [{\"model.width\": [64, 64]}]}") ==
        "test.json:3: sweep.axes[0]: the value 64 is given twice");
  CHECK(about("{\"axes\": [{\"seed\": [1, 2]}]}") ==
        "test.json:3: sweep.axes[0]: seeds belong in sweep.seeds\n"
        "test.json:3: sweep.axes[0]: seeds belong in sweep.seeds");
  CHECK(about("{\"axes\": [{\"model.width\": [64]}, {\"model\": [{\"width\": 32}]}]}") ==
        "test.json:3: sweep.axes[1]: sets model over the model.width of an earlier axis");
}

TEST_CASE("a sweep of too many runs is refused before any is made") {
  std::string axis;
  for (int i = 0; i < 200; ++i) axis += (i == 0 ? "" : ", ") + std::to_string(i);
  const std::string axes = "{\"axes\": [{\"train.optimizer.rate\": [" + axis + "]}, {\"train.clip\": [" + axis + "]}]}";
  CHECK(complaint(with_sweep(axes)) == "test.json:2: sweep: must make at most 10000 runs, makes 40000");
}

TEST_CASE("the command line may change a sweep, but not what the sweep sets") {
  const std::string json = with_sweep("{\"seeds\": [1, 2], \"axes\": [{\"model.width\": [64, 128]}]}");
  CHECK(names(parse(json, {"sweep.seeds=[9]"})) == std::vector<std::string>{"width=64_seed=9", "width=128_seed=9"});
  CHECK(model_of(parse(json, {"model.layers=2"}).runs[0]).layers == 2);
  CHECK(complaint(json, {"model.width=32"}) == "command line: model.width: the sweep sets this too; change it there");
  const std::string whole =
      with_sweep("{\"seeds\": [1], \"axes\": [{\"a\": {\"train.optimizer\": {\"kind\": \"sgd\"}}, \"b\": {}}]}");
  CHECK(complaint(whole, {"train.optimizer.rate=0.5"}) ==
        "command line: in the arm \"a\": train.optimizer.rate: the sweep sets train.optimizer whole too; change it "
        "there");
  CHECK(complaint(json, {"seed=3"}) ==
        "command line: seed: has no effect where sweep.seeds are given; set sweep.seeds=[…] instead");
  CHECK(model_of(parse(json, {"sweep.axes=[{\"model.width\": [32]}]"}).runs[0]).width == 32);
}

// The config of one run: its fields, its rules, and that what is written reads back as the same.
#include "train/config.h"

#include "engine/error.h"
#include "tests/support/catch.h"
#include "tests/train/schema_validator.h"
#include "train/experiment/experiment_config.h"

using namespace normlab;

namespace {

std::string complaint(const std::string& json, const std::vector<std::string>& overrides = {}) {
  try {
    parse_experiment(json, "test.json", overrides);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

const char* const kSmall = R"({
  "question": "Does it learn?",
  "train": {"steps": 100}
})";

}  // namespace

TEST_CASE("a small config gets its defaults, and every one of them is written") {
  const Experiment experiment = parse_experiment(kSmall, "test.json");
  REQUIRE(experiment.runs.size() == 1);
  CHECK_FALSE(experiment.sweep.has_value());
  CHECK(experiment.runs[0].name == "");
  const Config& config = experiment.runs[0].config;
  CHECK(experiment.question == "Does it learn?");
  CHECK(config.train.steps == 100);
  CHECK(config.dtype == Dtype::f32);
  CHECK(config.data.kind() == "synthetic");
  CHECK(config.train.optimizer.kind() == "adam");
  for (const char* path :
       {"seed", "init_seed", "data_seed", "dtype", "model.placement", "model.norm.kind", "data.kind", "train.epochs",
        "train.optimizer.rate", "train.schedule.warmup_steps", "train.schedule.decay.kind", "probes.quantities"}) {
    INFO(path);
    CHECK(find_path(experiment.resolved, path) != nullptr);
  }
}

TEST_CASE("a resolved config reads back as the same config") {
  const Experiment first = parse_experiment(
      kSmall, "test.json",
      {"seed=9223372036854775807", "train.optimizer.rate=0.00012345678901234567", "train.schedule.warmup_steps=10",
       "train.schedule.decay.kind=inverse_sqrt", "dtype=f64", "model.placement=post", "probes.at=[1, 5]"});
  const std::string written = to_lines(first.resolved);
  const Experiment again = parse_experiment(written, "resolved.json");
  CHECK(to_lines(again.resolved) == written);
  CHECK(again.config.seed == 9223372036854775807);
  CHECK(again.config.train.optimizer->rate == 0.00012345678901234567);
  CHECK(again.config.dtype == Dtype::f64);
}

TEST_CASE("seeds of first values and of data are the seed's unless set apart") {
  const Config config = parse_experiment(kSmall, "test.json", {"seed=7", "data_seed=3"}).config;
  CHECK(config.seed_of_training() == 7);
  CHECK(config.seed_of_init() == 7);
  CHECK(config.seed_of_data() == 3);
}

TEST_CASE("probes measure at every n-th step from the first, and at further ones") {
  ProbesConfig probes;
  CHECK_FALSE(probes.wanted(1));
  probes.every = 10;
  probes.at = {12};
  CHECK(probes.wanted(1));
  CHECK_FALSE(probes.wanted(10));
  CHECK(probes.wanted(11));
  CHECK(probes.wanted(12));
}

TEST_CASE("the rules of a config") {
  CHECK(complaint("{\"question\": \"?\"}") ==
        "test.json:1: train.steps: exactly one of steps and epochs must be positive, got steps 0 and epochs 0");
  CHECK(complaint("{\"question\": \"?\",\n\"train\": {\"steps\": 1,\n\"epochs\": 2}}") ==
        "test.json:3: train.epochs: exactly one of steps and epochs must be positive, got steps 1 and epochs 2");
  CHECK(complaint(kSmall, {"train.evaluate_every=2", "train.score_every=4"}) == "");
  CHECK(complaint(kSmall, {"train.evaluate_every=2", "train.score_every=5"}) ==
        "command line: train.score_every: must be a multiple of evaluate_every, which is 2; got 5");
  CHECK(complaint(kSmall, {"train.evaluate_every=0", "train.score_every=5"}) ==
        "command line: train.score_every: must be a multiple of evaluate_every, which is 0; got 5");
  CHECK(complaint(kSmall, {"seed=-1"}) == "command line: seed: must be at least 0, got -1");
  CHECK(
      complaint(kSmall, {"model.placment=pre"})
          .find(
              "command line: model.placment: unknown key for the kind \"language_model\"; did you mean \"placement\"? "
              "known here: kind, layers, width,") == 0);
  CHECK(complaint(kSmall, {"model.norm.epsilom=1"}) ==
        "command line: model.norm.epsilom: unknown key for the kind \"layer\"; did you mean \"epsilon\"? "
        "known here: kind, epsilon, pre_scale, pre_scale_groups");
  CHECK(complaint(kSmall, {"model.width=30", "model.heads=4"}).find("command line: model.heads: ") == 0);
  CHECK(complaint(kSmall, {"data.padding.kind=share", "data.padding.share=0.3", "data.padding.counted=true"}) == "");
  CHECK(complaint(kSmall, {"data.padding.kind=longer"}) ==
        "command line: data.padding.kind: must be one of none, longest, share; got \"longer\"; did you mean "
        "\"longest\"?");
  CHECK(complaint(kSmall, {"data.padding.kind=share", "data.padding.share=1"}) ==
        "command line: data.padding.share: must be at least 0 and at most 0.99, got 1");
  CHECK(complaint(kSmall, {"data.padding.kind=share", "data.padding.share=0.4", "data.padding.spread=0.4"}) == "");
  for (const auto& [share, spread] : {std::pair{"0.3", "0.4"}, std::pair{"0.7", "0.4"}}) {
    CHECK(complaint(kSmall, {"data.padding.kind=share", text("data.padding.share=", share),
                             text("data.padding.spread=", spread)}) ==
          text("command line: data.padding.spread: share - spread and share + spread must be shares from 0 to 0.99, "
               "got share ",
               share, " and spread ", spread));
  }
  CHECK(complaint(kSmall, {"data.padding.kind=longest", "data.padding.share=0.3"}) ==
        "command line: data.padding.share: unknown key for the kind \"longest\"; known here: kind, counted");
  CHECK(complaint(kSmall, {"dtype=f23"}) ==
        "command line: dtype: must be one of f32, f64; got \"f23\"; did you mean \"f32\"?");
}

TEST_CASE("a config file that is not there is named") {
  CHECK_THROWS_WITH(read_experiment("/nowhere/at/all.json"),
                    ContainsSubstring("/nowhere/at/all.json: ") && ContainsSubstring("No such file or directory"));
}

TEST_CASE("the schema accepts what the reader accepts and refuses what it refuses") {
  if (!schema_complaint("{}", "{}")) {
    WARN("valijson is not installed: the schema is not checked (Debian: libvalijson-dev)");
    return;
  }
  const std::string schema = experiment_schema();
  const std::string sweep = R"("sweep": {"seeds": [1, 2], "axes": [
      {"Post-LN": {"model.placement": "post"}, "Pre-LN": {}}, {"train.optimizer.rate": [1e-3, 5e-4]}]})";
  const std::string claims = R"("claims": [
      {"id": "A", "claim": "?", "paper": 2, "measure": {"of": {"arms": ["Pre-LN", "rate=0.001"], "quantity": "q"}},
       "held": {"at_least": 0, "at_most": 1}},
      {"id": "B", "claim": "?", "measure": {"kind": "slope", "of": {"arms": ["Pre-LN"], "quantity": "q", "at": "7"},
       "over": "rate"}, "held": {"at_most": -1}, "baseline": [{"arms": ["Pre-LN"], "best_over": ["rate"],
       "quantity": "valid_nll", "at_most": 3}], "least_seeds": 5, "evidence": false},
      {"id": "C", "claim": "?", "measure": {"kind": "fit",
       "of": {"arms": ["Pre-LN"], "best_over": ["1"], "quantity": "q"},
       "x": [1, 2], "y": [0.5, 1]}, "held": {"at_most": 0.1}}], )";
  const std::string start = R"({"question": "?", "train": {"steps": 3}, )";
  const std::vector<std::string> good = {
      kSmall,
      start + R"("model": {"norm": {"epsilon": 1e-6}}, "data": {}})",
      start + R"("probes": {"every": 2, "quantities": ["weight_norm"]}})",
      start + R"("data": {"kind": "text", "train": "a", "padding": {"kind": "share", "share": 0, "counted": true}}})",
      start + sweep + "}",
      start + claims + sweep + "}",
      to_lines(parse_experiment(kSmall, "test.json").resolved),
      to_lines(parse_experiment(start + claims + sweep + "}", "test.json").resolved),
      to_lines(resolved(parse_experiment(start + sweep + "}", "test.json").runs[1].config)),
  };
  const std::vector<std::string> bad = {
      R"({"question": "?", "train": {"steps": 3, "rate": 1}})",
      R"({"question": "?", "train": {"steps": "3"}})",
      R"({"question": "?", "train": {"steps": -3}})",
      start + R"("model": {"layers": 0}})",
      start + R"("model": {"norm": {"kind": "lair"}}})",
      start + R"("data": {"kind": "nothing"}})",
      start + R"("data": {"padding": {"kind": "none", "counted": true}}})",
      start + R"("dtype": "i32"})",
      start + R"("probes": {"quantities": ["weight"]}})",
      start + R"("claims": {"id": "X"}})",
      start + R"("claims": [{"id": "X", "measure": {"of": {"quantity": "q"}}, "held": {"at_most": 1}}]})",
      start + R"("claims": [{"id": "X", "claim": "?", "measure": {"kind": "rate"}, "held": {"at_most": 1}}]})",
      start + R"("claims": [{"id": "X", "claim": "?", "measure": {"of": {"quantity": "q", "across": "all"}},
                             "held": {"at_most": 1}}]})",
      start +
          R"("claims": [{"id": "X", "claim": "?", "measure": {"of": {"quantity": "q"}}, "held": {"at_most": "1"}}]})",
      start + R"("claims": [{"id": "X", "claim": "?", "measure": {"of": {"quantity": "q"}}, "held": {"at_most": 1},
                             "least_seeds": 1}]})",
      start + R"("sweep": {"seed": [1]}})",
      start + R"("sweep": {"seeds": [1, 1]}})",
      start + R"("sweep": {"axes": [{}]}})",
      start + R"("sweep": {"axes": [{"A": 3}]}})",
      start + R"("sweep": {"axes": [{"model.width": []}]}})",
      start + R"("sweep": {"axes": [{"model.width": [64], "model.heads": [2]}]}})",
  };
  for (const std::string& json : good) {
    INFO(json);
    CHECK(complaint(json) == "");
    CHECK(schema_complaint(schema, json) == "");
  }
  for (const std::string& json : bad) {
    INFO(json);
    CHECK(complaint(json) != "");
    CHECK(schema_complaint(schema, json) != "");
  }
}

TEST_CASE("PowerNorm's mode sets what its other options start from, wherever it stands among them") {
  const auto norm = [](const std::string& fields) {
    const Config config =
        parse_experiment(kSmall, "test.json", {"model.norm={\"kind\": \"power\"" + fields + "}"}).runs.at(0).config;
    const JsonNode once = resolved(config);
    CHECK(to_line(resolved(parse_experiment(to_lines(once), "again", {}).runs.at(0).config)) == to_line(once));
    std::string values;
    for (const char* name : {"alpha_forward", "warmup_steps", "average_in_warmup", "backward_divisor"}) {
      values += to_line(*find_path(once, std::string("model.norm.") + name)) + " ";
    }
    return values;
  };
  CHECK(norm("") == "0.9 0 false \"forward\" ");
  CHECK(norm(", \"mode\": \"reference\"") == "0.9 10000 true \"batch\" ");
  CHECK(norm(", \"warmup_steps\": 5, \"mode\": \"reference\", \"alpha_forward\": 0.99") == "0.99 5 true \"batch\" ");
  CHECK(norm(", \"mode\": \"reference\", \"backward_divisor\": \"forward\"") == "0.9 10000 true \"forward\" ");
}

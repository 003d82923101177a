// The mean of the last checkpoints: which they are, what it is the mean of, and what a run does with it.
#include <algorithm>
#include <cmath>
#include <filesystem>

#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tensors.h"
#include "tests/train/training.h"
#include "train/files.h"
#include "train/metrics.h"
#include "train/trained.h"

using namespace normlab;
using test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

// A parameter and a buffer.
struct Small : Module {
  Small() : Module({}), weight(parameter("weight", {2}, constant(0))), running(buffer("running", {1}, 0)) {}
  RunTensors tensors() const {
    return {parameters(), buffers(), {{"exp_avg.weight", Tensor::zeros({2}, Dtype::f32), {2}}}};
  }
  Tensor weight, running;
};

fs::path saved(const TemporaryFolder& folder, std::int64_t step, double a, double b, double running) {
  Small model;
  model.weight.set(0, a);
  model.weight.set(1, b);
  model.running.fill(running);
  const fs::path path = checkpoint_path(folder.path(), step);
  save_checkpoint(path, model.tensors(), {{step, step, step}, "", {}});
  return path;
}

using Overrides = std::vector<std::string>;

// Eight steps with a checkpoint after 2, 4, 6 and 8, the last three averaged, unless `further` says otherwise.
Config config_of(const Overrides& further = {}) {
  Overrides overrides = further;
  for (const std::string setting :
       {"model.norm.kind=batch", "data.test_tokens=500", "train.checkpoint_every=2", "train.keep=3", "train.average=3",
        "train.log_every=1", "train.evaluate_batch_statistics=true"}) {
    const std::string path = setting.substr(0, setting.find('=') + 1);
    const bool given =
        std::any_of(further.begin(), further.end(), [&](const std::string& other) { return other.starts_with(path); });
    if (!given) overrides.push_back(setting);
  }
  return parse_experiment(kConfig, "test.json", overrides).runs.at(0).config;
}

RunResult run_in(const fs::path& folder, const Config& config) {
  RunSettings settings;
  settings.folder = folder;
  settings.quiet = true;
  settings.resume = true;
  return run_one(config, settings);
}

// The metrics without what depends on the clock.
std::vector<std::string> metrics_of(const fs::path& folder) {
  std::vector<std::string> lines;
  for (const MetricRecord& record : read_metrics(folder / "metrics.jsonl")) {
    std::string line = text(record.event, " ", record.step);
    for (const auto& [name, value] : record.fields) {
      if (is_time_field(name)) continue;
      line += text(" ", name, "=", record.word(name));
      if (const auto number = record.number(name)) line += text(std::hexfloat, *number);
    }
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> checkpoints_of(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder / "checkpoints")) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> names_of(const std::vector<fs::path>& paths) {
  std::vector<std::string> names;
  for (const fs::path& path : paths) names.push_back(path.filename());
  return names;
}

std::string name(std::int64_t step) { return checkpoint_path("", step).string(); }

}  // namespace

TEST_CASE("parameters and buffers become their means, summed in double; one checkpoint gives back its own bits") {
  const TemporaryFolder folder;
  const std::vector<fs::path> three = {saved(folder, 1, 1e8, 3, 1), saved(folder, 2, 1, 4, 2),
                                       saved(folder, 3, -1e8, 8, 6)};
  const Small model;
  CHECK(load_average(three, model) == 3);
  CHECK(model.weight.at(0) == static_cast<float>(1.0 / 3));  // in f32 the 1 would be lost
  CHECK(model.weight.at(1) == 5);
  CHECK(model.running.at(0) == 3);
  CHECK(load_average({three[1]}, model) == 2);
  CHECK(model.weight.at(1) == 4);
  CHECK(model.running.at(0) == 2);

  CHECK_THROWS_WITH(load_average({}, model), ContainsSubstring("a mean must be of one at least, got none"));
  struct Other : Module {
    Other() : Module({}), weight(parameter("weight", {3}, constant(7))) {}
    Tensor weight;
  } other;
  CHECK_THROWS_WITH(load_average(three, other), ContainsSubstring("unexpected: model.running") &&
                                                    ContainsSubstring("shape: model.weight is [3], in the file [2]"));
  CHECK(other.weight.at(0) == 7);
}

TEST_CASE("the last checkpoints are those that were due, and the latest") {
  const TemporaryFolder folder;
  for (std::int64_t step : {10, 20, 25, 30, 40, 43}) write_file(checkpoint_path(folder.path(), step), "");
  const auto last = [&](std::int64_t count, std::int64_t every) {
    return names_of(last_checkpoints(folder.path(), count, every));
  };
  using Names = std::vector<std::string>;
  CHECK(last(3, 10) == Names{name(30), name(40), name(43)});
  CHECK(last(9, 10) == Names{name(10), name(20), name(30), name(40), name(43)});
  CHECK(last(9, 0) == Names{name(43)});
  CHECK(last_checkpoints(folder / "nothing", 3, 10).empty());
  remove_old_checkpoints(folder.path(), 4, 10);
  CHECK(folder.names() == std::vector<std::string>{name(20), name(30), name(40), name(43)});
}

TEST_CASE("a run's final figures are those of the mean of its last checkpoints, which trains as any other run does") {
  const TemporaryFolder folder;
  const RunResult result = run_in(folder / "average", config_of());
  CHECK(result.averaged == 3);
  CHECK(checkpoints_of(folder / "average") == std::vector<std::string>{name(4), name(6), name(8)});

  // The mean made here, of numbers as they stand in the files.
  Training t({"model.norm.kind=batch", "data.test_tokens=500"});
  std::vector<Named> tensors = t.model.parameters();
  for (const Named& buffer : t.model.buffers()) tensors.push_back(buffer);
  std::map<std::string, std::vector<double>> sums;
  for (std::int64_t step : {4, 6, 8}) {
    RunTensors run{t.model.parameters(), t.model.buffers(), t.optimizer->state()};
    load_checkpoint(checkpoint_path(folder / "average/checkpoints", step), run);
    for (const Named& named : tensors) {
      sums[named.path].resize(static_cast<std::size_t>(named.tensor.size()));
      for (Index i = 0; i < named.tensor.size(); ++i)
        sums[named.path][static_cast<std::size_t>(i)] += named.tensor.at(i);
    }
  }
  for (Named& named : tensors) {
    for (Index i = 0; i < named.tensor.size(); ++i)
      named.tensor.set(i, sums[named.path][static_cast<std::size_t>(i)] / 3);
  }
  CHECK(result.final_nll == t.trainer.evaluate(Split::valid, 8).mean());
  CHECK(result.test_nll == t.trainer.evaluate(Split::test, 8).mean());
  CHECK(result.final_nll_by_batch == t.trainer.evaluate(Split::valid, 8, true).mean());

  // The records tell the two models apart, and reading the result again gives the same.
  int of_average = 0;
  for (const MetricRecord& record : read_metrics(folder / "average/metrics.jsonl")) {
    if (record.event != "average") continue;
    ++of_average;
    CHECK(record.step == 8);
    CHECK(record.number("checkpoints") == 3);
  }
  CHECK(of_average == 4);  // two splits, by both statistics
  const auto again = finished_run(config_of(), folder / "average");
  REQUIRE(again);
  CHECK(again->averaged == 3);
  CHECK(again->final_nll == result.final_nll);

  // Without it: the same training to the bit, and a final model of its own.
  const RunResult plain = run_in(folder / "plain", config_of({"train.average=0"}));
  CHECK(plain.averaged == 0);
  CHECK(plain.final_nll != result.final_nll);
  auto lines = metrics_of(folder / "average");
  lines.resize(lines.size() - 4);
  CHECK(lines == metrics_of(folder / "plain"));
  for (std::int64_t step : {4, 6, 8}) {
    Training a({"model.norm.kind=batch"}), b({"model.norm.kind=batch"});
    RunTensors of_a{a.model.parameters(), a.model.buffers(), a.optimizer->state()};
    RunTensors of_b{b.model.parameters(), b.model.buffers(), b.optimizer->state()};
    load_checkpoint(checkpoint_path(folder / "average/checkpoints", step), of_a);
    load_checkpoint(checkpoint_path(folder / "plain/checkpoints", step), of_b);
    for (auto list : {&RunTensors::parameters, &RunTensors::buffers, &RunTensors::optimizer}) {
      for (std::size_t i = 0; i < (of_a.*list).size(); ++i) {
        CHECK(same_bits((of_a.*list)[i].tensor, (of_b.*list)[i].tensor));
      }
    }
  }
}

TEST_CASE("a run that was stopped, or killed at its end, averages the same checkpoints and writes the same records") {
  const TemporaryFolder folder;
  const Config config = config_of();
  const RunResult whole = run_in(folder / "whole", config);
  const auto expected = metrics_of(folder / "whole");

  // Stopped after step 5, between two checkpoints that are due.
  run_in(folder / "five", config_of({"train.checkpoint_every=5", "train.keep=9", "train.average=0"}));
  fs::create_directories(folder / "stopped/checkpoints");
  fs::copy(folder / "whole/config.json", folder / "stopped/config.json");
  fs::copy(folder / "whole/metrics.jsonl", folder / "stopped/metrics.jsonl");
  fs::copy(checkpoint_path(folder / "whole/checkpoints", 4), checkpoint_path(folder / "stopped/checkpoints", 4));
  fs::copy(checkpoint_path(folder / "five/checkpoints", 5), checkpoint_path(folder / "stopped/checkpoints", 5));
  CHECK(run_in(folder / "stopped", config).final_nll == whole.final_nll);
  CHECK(metrics_of(folder / "stopped") == expected);
  CHECK(checkpoints_of(folder / "stopped") == checkpoints_of(folder / "whole"));

  // Killed when all is saved, before the first record of the average, between them, and after the last.
  const std::string metrics = read_file(folder / "whole/metrics.jsonl");
  const std::size_t first = metrics.find("{\"event\":\"average\"");
  for (const std::size_t length : {first, metrics.find('\n', first) + 1, metrics.size() - 20, metrics.size()}) {
    const fs::path killed = folder / text("killed at ", length);
    fs::create_directories(killed);
    fs::copy(folder / "whole/config.json", killed / "config.json");
    fs::copy(folder / "whole/checkpoints", killed / "checkpoints");
    write_file(killed / "metrics.jsonl", metrics.substr(0, length));
    CHECK(run_in(killed, config).final_nll == whole.final_nll);
    CHECK(metrics_of(killed) == expected);
  }
}

TEST_CASE("a run too short for so many checkpoints averages those it has; one that diverged, none") {
  const TemporaryFolder folder;
  CHECK(run_in(folder / "short", config_of({"train.steps=3"})).averaged == 2);  // after 2 and 3
  const RunResult diverged =
      run_in(folder / "diverged", config_of({"train.optimizer={\"kind\": \"sgd\", \"rate\": 1e38}"}));
  CHECK(diverged.diverged());
  CHECK(diverged.averaged == 0);
  CHECK(std::isinf(diverged.final_nll));
  for (const MetricRecord& record : read_metrics(folder / "diverged/metrics.jsonl")) CHECK(record.event != "average");
}

TEST_CASE("averaging needs checkpoints that are there to average") {
  CHECK_THROWS_WITH(config_of({"train.checkpoint_every=0"}),
                    ContainsSubstring("train.average: needs checkpoint_every above 0"));
  CHECK_THROWS_WITH(config_of({"train.keep=2"}),
                    ContainsSubstring("train.average: must be at most keep, the checkpoints "
                                      "that stay, got 3 and keep 2"));
  CHECK_NOTHROW(config_of({"train.average=1", "train.keep=1", "train.checkpoint_every=0"}));
}

TEST_CASE("a trained model is the mean that its run's config says, or that is asked for") {
  const TemporaryFolder folder;
  const RunResult result = run_in(folder / "run", config_of());
  const auto nll = [&](std::int64_t average) {
    const Trained trained = load_trained(folder / "run", ".", average);
    CHECK(trained.step == 8);
    return Trainer(trained.config, *trained.task).evaluate(Split::valid, 8).mean();
  };
  CHECK(nll(0) == result.final_nll);
  CHECK(nll(3) == result.final_nll);
  CHECK(nll(1) == run_in(folder / "plain", config_of({"train.average=1"})).final_nll);
  CHECK_THROWS_WITH(load_trained(folder / "run", ".", 4),
                    ContainsSubstring("must hold 4 checkpoints to average, holds 3; average fewer"));
}

TEST_CASE("the mean of running statistics is nearer to the mean model's own than those of the last checkpoint") {
  // Its own: a pass over training batches that changes nothing but statistics.
  const Overrides overrides = {"model.norm.kind=batch",
                               "model.dropout=0",
                               "model.attention_dropout=0",
                               "train.steps=60",
                               "train.optimizer.rate=0.02",
                               "train.checkpoint_every=5",
                               "train.keep=8",
                               "train.average=0",
                               "train.evaluate_every=0",
                               "train.log_every=60",
                               "train.evaluate_batch_statistics=false"};
  const TemporaryFolder folder;
  run_in(folder / "run", config_of(overrides));
  const auto last = last_checkpoints(folder / "run/checkpoints", 8, 5);
  REQUIRE(last.size() == 8);
  Training t(overrides);
  const auto nll = [&] { return t.trainer.evaluate(Split::valid, 60).mean(); };
  load_average({last.back()}, t.model);
  std::vector<Tensor> of_last;
  for (const Named& buffer : t.model.buffers()) of_last.push_back(buffer.tensor.clone());
  load_average(last, t.model);
  const double by_mean = nll();
  for (std::size_t i = 0; i < of_last.size(); ++i) Tensor(t.model.buffers()[i].tensor).copy_from(of_last[i]);
  const double by_last = nll();
  for (std::uint64_t i = 0; i < 60; ++i) {
    const Batch batch = t.data->training_batch(i);
    t.model.logits(batch.inputs, batch.rows, {.training = true});
    t.model.commit();
  }
  const double by_own = nll();
  CAPTURE(by_mean, by_last, by_own);
  CHECK(std::abs(by_mean - by_own) < 0.5 * std::abs(by_last - by_own));
}

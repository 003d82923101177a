// What is read from the folders of runs that are finished, diverged, still going on, or not there.
#include "train/experiment/observations.h"

#include "observed.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "train/files.h"

using namespace normlab;
using namespace normlab::made_up;

namespace {

const char* const kMetrics =
    R"({"event":"train","step":1,"loss":5.5,"nll":5.0,"rate":0.1,"gradient_norm":2.0,"penalty":0.0,"seconds":1.0}
{"event":"evaluation","step":2,"split":"valid","statistics":"running","nll":4.0,"perplexity":54.6,"score.bleu":7.0}
{"event":"evaluation","step":2,"split":"valid","statistics":"batch","nll":3.5,"perplexity":33.1}
{"event":"evaluation","step":2,"split":"test","statistics":"running","nll":4.5,"perplexity":90.0,"score.bleu":6.0}
)";
const char* const kProbes = R"({"event":"probe","step":1,"site":"layers.0.norm","quantity":"weight_norm","value":3.0}
{"event":"probe","step":1,"site":"layers.1.norm","quantity":"weight_norm","value":"inf"}
)";
const char* const kFinished = R"({"status": "finished", "steps": 2, "final_nll": 4.0})";
const char* const kDiverged =
    R"({"status": "diverged", "steps": 2, "diverged_step": 3, "diverged_site": "x", "final_nll": "inf"})";

struct Folder {
  explicit Folder(const std::string& seeds)
      : experiment(parse_experiment(R"({"train": {"steps": 2}, "sweep": {"seeds": )" + seeds + "}}", "test.json")) {}
  void write(std::size_t run, const std::string& file, const std::string& content) {
    const auto folder = run_folder(experiment.runs[run], scratch.path());
    std::filesystem::create_directories(folder);
    write_file(folder / file, content);
  }
  void write_run(std::size_t run, const char* result) {
    write(run, "config.json", to_lines(resolved(experiment.runs[run].config)));
    write(run, "metrics.jsonl", kMetrics);
    write(run, "probes.jsonl", kProbes);
    if (result != nullptr) write(run, "result.json", result);
  }
  Experiment experiment;
  test::TemporaryFolder scratch;
};

void check_last(const ObservedRun& run, const std::string& quantity, std::int64_t step, double value) {
  INFO(run.name << ": " << quantity);
  REQUIRE_FALSE(run.of(quantity).empty());
  CHECK(run.of(quantity).back().step == step);
  CHECK(run.of(quantity).back().value == value);
}

}  // namespace

TEST_CASE("a finished run tells its steps, evaluations, probes and measurements by quantity") {
  Folder folder("[1]");
  folder.write_run(0, kFinished);
  folder.write(
      0, "measurements.jsonl",
      "{\"event\":\"measurement\",\"step\":0,\"site\":\"layers.3.ffn\",\"quantity\":\"mean_square\",\"value\":1.5}\n");
  const ObservedRun run = observe(folder.experiment, folder.scratch.path()).at(0);
  CHECK(run.state == RunState::finished);
  CHECK(run.seed == 1);
  CHECK(run.result->final_nll == 4);
  check_last(run, "train_loss", 1, 5.5);
  check_last(run, "train_nll", 1, 5);
  check_last(run, "gradient_norm", 1, 2);
  check_last(run, "valid_nll", 2, 4);
  check_last(run, "valid_bleu", 2, 7);
  check_last(run, "test_bleu", 2, 6);
  check_last(run, "test_perplexity", 2, 90);
  check_last(run, "valid_nll_by_batch_statistics", 2, 3.5);
  check_last(run, "diverged", 2, 0);
  CHECK(run.of("valid_nll").size() == 1);
  REQUIRE(run.of("weight_norm").size() == 2);
  CHECK(run.of("weight_norm")[0].site == "layers.0.norm");
  CHECK(run.of("weight_norm")[1].value == kInfinity);
  CHECK(run.of("mean_square").at(0).site == "layers.3.ffn");
  CHECK(run.of("nothing").empty());
}

TEST_CASE("the last figures of a run that averages checkpoints are the average's") {
  Folder folder("[1]");
  folder.write_run(0, kFinished);
  folder.write(
      0, "metrics.jsonl",
      std::string(kMetrics) +
          R"({"event":"average","step":2,"split":"valid","statistics":"running","nll":3.9,"perplexity":49.4,)" +
          R"("checkpoints":2,"score.bleu":8.0})" + "\n");
  const ObservedRun run = observe(folder.experiment, folder.scratch.path()).at(0);
  CHECK(run.of("valid_nll").size() == 1);
  check_last(run, "valid_nll", 2, 3.9);
  check_last(run, "valid_bleu", 2, 8);
  check_last(run, "valid_nll_by_batch_statistics", 2, 3.5);
  check_last(run, "test_bleu", 2, 6);
}

TEST_CASE("a run that diverged ends in an infinite loss and in scores of 0, also those it never had") {
  Folder folder("[1, 2]");
  folder.write_run(0, kFinished);
  folder.write_run(1, kDiverged);
  folder.write(1, "metrics.jsonl", "{\"event\":\"train\",\"step\":1,\"loss\":5.5,\"nll\":5.0}\n");
  const auto runs = observe(folder.experiment, folder.scratch.path());
  CHECK(runs[1].state == RunState::diverged);
  for (const char* loss : {"train_loss", "train_nll", "valid_nll", "valid_perplexity", "test_nll", "test_perplexity",
                           "valid_nll_by_batch_statistics"}) {
    check_last(runs[1], loss, 3, kInfinity);
  }
  for (const char* score : {"valid_bleu", "test_bleu"}) check_last(runs[1], score, 3, 0);
  check_last(runs[1], "diverged", 2, 1);
  check_last(runs[1], "diverged_step", 3, 3);
  CHECK(runs[1].of("diverged_step")[0].site == "x");
  CHECK(runs[0].of("diverged_step").empty());
  CHECK(runs[1].of("train_loss").size() == 2);
  check_last(runs[0], "valid_nll", 2, 4);
}

TEST_CASE("a run that goes on shows what there is, a torn line left out, and one that has not begun nothing") {
  Folder folder("[1, 2]");
  folder.write_run(0, nullptr);
  folder.write(0, "metrics.jsonl", std::string(kMetrics) + "{\"event\":\"train\",\"ste");
  const auto runs = observe(folder.experiment, folder.scratch.path());
  CHECK(runs[0].state == RunState::unfinished);
  CHECK_FALSE(runs[0].result.has_value());
  check_last(runs[0], "valid_nll", 2, 4);
  CHECK(runs[0].of("diverged").empty());
  CHECK(runs[1].state == RunState::missing);
  CHECK(runs[1].quantities.empty());
}

TEST_CASE("the run of another config is refused") {
  Folder folder("[1]");
  folder.write_run(0, kFinished);
  folder.write(0, "config.json", "{}\n");
  CHECK_THAT(complaint_of([&] { observe(folder.experiment, folder.scratch.path()); }),
             ContainsSubstring("holds another experiment"));
}

TEST_CASE("a run of a program that did not know a setting yet is the run with its default") {
  Folder folder("[1]");
  folder.write_run(0, kFinished);
  std::string config = to_lines(resolved(folder.experiment.runs[0].config));
  const std::size_t at = config.find("\"beta2\"");
  REQUIRE(at != std::string::npos);
  config.erase(at, config.find('"', at + 7) - at);
  folder.write(0, "config.json", config);
  CHECK(observe(folder.experiment, folder.scratch.path())[0].state == RunState::finished);
  config.replace(config.find("\"rate\": "), 8, "\"rate\": 7");
  folder.write(0, "config.json", config);
  CHECK_THAT(complaint_of([&] { observe(folder.experiment, folder.scratch.path()); }),
             ContainsSubstring("holds another experiment"));
}

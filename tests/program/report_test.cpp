// Claims from a config to verdicts, as a person sees them: by `run`, by `report` anew, and while runs are going on.
#include "program.h"
#include "tests/support/catch.h"

using namespace normlab_tests;

namespace {

// Training lowers the loss, whatever the claim says: one arm trains, the other has a rate of 0.
const char* const kConfig = R"({
  "question": "Does training help?",
  "claims": [
    {"id": "T1", "claim": "training lowers the loss",
     "measure": {"kind": "difference", "of": {"arms": ["untrained"], "quantity": "valid_nll"},
                 "minus": {"arms": ["trained"], "quantity": "valid_nll"}},
     "held": {"at_least": 0.01}},
    {"id": "F1", "claim": "training raises the loss", "paper": 0.5,
     "measure": {"kind": "difference", "of": {"arms": ["trained"], "quantity": "valid_nll"},
                 "minus": {"arms": ["untrained"], "quantity": "valid_nll"}},
     "held": {"at_least": 0}},
    {"id": "U1", "claim": "many seeds say that training lowers the loss", "least_seeds": 10,
     "measure": {"kind": "ratio", "of": {"arms": ["untrained"], "quantity": "valid_nll"},
                 "to": {"arms": ["trained"], "quantity": "valid_nll"}},
     "held": {"at_least": 1}}
  ],
  "model": {"layers": 1, "width": 16, "heads": 2, "feed_forward": 32, "dropout": 0},
  "data": {"kind": "synthetic", "train_tokens": 4000, "valid_tokens": 500, "test_tokens": 0,
           "batching": {"kind": "sentences", "tokens_per_batch": 512}},
  "train": {"steps": 6, "log_every": 2, "optimizer": {"kind": "adam", "rate": 1e-2}},
  "sweep": {"seeds": [1, 2, 3], "axes": [{"trained": {}, "untrained": {"train.optimizer.rate": 0}}]}
})";

}  // namespace

TEST_CASE("a true claim held, a false one did not, one with too few seeds is undecided; report says the same") {
  Scratch scratch;
  const std::string config = (scratch / "claims.json").string(), folder = (scratch / "out").string();
  spill(config, kConfig);
  const Outcome run = run_program({"run", config, "--quiet", "--out", folder}, scratch);
  INFO(run.error);
  REQUIRE(run.status == 0);
  CHECK_THAT(run.out, ContainsSubstring("T1  held          training lowers the loss"));
  CHECK_THAT(run.out, ContainsSubstring("F1  did not hold  training raises the loss"));
  CHECK_THAT(run.out, ContainsSubstring("U1  undecided     many seeds say that training lowers the loss"));
  CHECK_THAT(run.out, ContainsSubstring("too few seeds: 3, must be at least 10"));
  CHECK_THAT(run.out, ContainsSubstring("the paper's value is 0.5"));
  const std::string verdicts = slurp(folder + "/verdicts.json"), table = slurp(folder + "/verdicts.csv");
  CHECK_THAT(verdicts, ContainsSubstring("\"verdict\": \"did not hold\""));
  CHECK_THAT(table, ContainsSubstring("U1,"));

  spill(folder + "/verdicts.json", "[{\"id\": \"F1\", \"verdict\": \"held\"}]");  // typed in
  fs::remove(folder + "/verdicts.csv");
  const Outcome report = run_program({"report", folder}, scratch);
  INFO(report.error);
  CHECK(report.status == 0);
  CHECK_THAT(report.out, ContainsSubstring("6 of 6 runs are over"));
  CHECK_THAT(report.out, ContainsSubstring("F1  did not hold  training raises the loss"));
  CHECK(slurp(folder + "/verdicts.json") == verdicts);
  CHECK(slurp(folder + "/verdicts.csv") == table);

  // While a run is going on.
  fs::remove(folder + "/runs/trained_seed=2/result.json");
  const Outcome going_on = run_program({"report", scratch.path().string()}, scratch);
  CHECK(going_on.status == 0);
  CHECK_THAT(going_on.out, ContainsSubstring("5 of 6 runs are over"));
  CHECK_THAT(going_on.out, ContainsSubstring("T1  undecided"));
  CHECK_THAT(going_on.out, ContainsSubstring("1 of 6 runs are not over"));

  // A claim may be changed when the runs are done; they are not repeated.
  REQUIRE(run_program({"run", config, "--quiet", "--resume", "--out", folder}, scratch).status == 0);
  const auto before = fs::last_write_time(folder + "/runs/trained_seed=1/result.json");
  std::string changed = kConfig;
  changed.replace(changed.find("\"at_least\": 0.01"), 16, "\"at_least\": 9");
  spill(config, changed);
  const Outcome again = run_program({"run", config, "--quiet", "--out", folder}, scratch);
  INFO(again.error);
  CHECK(again.status == 0);
  CHECK_THAT(again.out, ContainsSubstring("T1  did not hold"));
  CHECK(fs::last_write_time(folder + "/runs/trained_seed=1/result.json") == before);
}

TEST_CASE("bad claims are refused with exit status 2 before anything is trained") {
  Scratch scratch;
  std::string bad = kConfig;
  bad.replace(bad.find("[\"trained\"]"), 11, "[\"traind\"]");
  spill(scratch / "claims.json", bad);
  const Outcome run =
      run_program({"run", (scratch / "claims.json").string(), "--out", (scratch / "out").string()}, scratch);
  CHECK(run.status == 2);
  CHECK_THAT(run.error, ContainsSubstring("claims.json:6: claims[0].measure.minus: no arm is named \"traind\"; did you "
                                          "mean \"trained\"? known here: trained, untrained"));
  CHECK_FALSE(fs::exists(scratch / "out"));
}

TEST_CASE("report says what it cannot report on, and list names the claims") {
  Scratch scratch;
  const Outcome nothing = run_program({"report", scratch.path().string()}, scratch);
  CHECK(nothing.status == 2);
  CHECK_THAT(nothing.error, ContainsSubstring("holds no experiment"));
  CHECK(run_program({"report", (scratch / "nowhere").string()}, scratch).status == 2);
  CHECK(run_program({"report"}, scratch).status == 2);
  spill(scratch / "configs/claims.json", kConfig);
  const Outcome list = run_program({"list", (scratch / "configs").string()}, scratch);
  CHECK_THAT(list.out, ContainsSubstring("claims T1, F1, U1"));
}

TEST_CASE("a ledger takes an experiment's verdicts, and is not touched by one that states no claims") {
  Scratch scratch;
  std::string without = kConfig;
  const std::size_t begin = without.find("\"claims\""), end = without.find("\"model\"");
  without.erase(begin, end - begin);
  spill(scratch / "claims.json", kConfig);
  spill(scratch / "none.json", without);
  spill(scratch / "ledger/README.md", "# Ledger\n\n<!-- ledger -->\nNothing yet.\n<!-- /ledger -->\n");
  for (const std::string name : {"none", "claims"}) {
    const std::string folder = (scratch / "runs" / name).string();
    REQUIRE(run_program({"run", (scratch / (name + ".json")).string(), "--quiet", "--out", folder}, scratch).status ==
            0);
    const Outcome outcome = run_program({"report", folder, "--ledger", (scratch / "ledger").string()}, scratch);
    CHECK(outcome.status == 0);
    const std::string readme = slurp(scratch / "ledger/README.md");
    if (name == "none") {
      CHECK_THAT(outcome.out, ContainsSubstring("none: not in the ledger, since it states no claims"));
      CHECK_THAT(readme, ContainsSubstring("Nothing yet."));
    } else {
      CHECK_THAT(outcome.out, ContainsSubstring("1 experiment in the ledger"));
      CHECK_THAT(readme, ContainsSubstring("| T1 |"));
    }
  }
}

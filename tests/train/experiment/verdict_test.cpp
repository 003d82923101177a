// Verdicts: each line of the rule, and what is written of them.
#include "train/experiment/verdict.h"

#include <nlohmann/json.hpp>

#include "observed.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "train/experiment/estimate.h"
#include "train/files.h"

using namespace normlab;
using namespace normlab::made_up;

namespace {

const std::string kPost = R"({"arms": ["Post-LN", "layers=2"], "quantity": "q"})";
const std::string kPre = R"({"arms": ["Pre-LN", "layers=2"], "quantity": "q"})";
const std::string kSix = "[1, 2, 3, 4, 5, 6]";

void fill_q(ObservedRun& run) {
  const auto seed = static_cast<double>(run.seed);
  run.quantities["q"] = {{10, "", is_post(run) ? 2 + 0.01 * seed : 1 + 0.02 * seed}};
}

ClaimResult judged(const std::string& claims, const std::function<void(ObservedRun&)>& fill = fill_q,
                   const std::string& seeds = "[1, 2, 3]") {
  const Experiment experiment = experiment_of(claims, seeds);
  return judge(experiment, runs_of(experiment, fill)).at(0);
}

// Post-LN minus Pre-LN is 1 - 0.01 * seed: 0.98 on average, between 0.955 and 1.005.
std::string difference(const std::string& held, const std::string& more = "") {
  return claim("{\"kind\": \"difference\", \"of\": " + kPost + ", \"minus\": " + kPre + "}", held, more);
}

}  // namespace

TEST_CASE("an interval inside the range held, one outside did not hold, one over its end is undecided") {
  const ClaimResult held = judged(difference("\"at_least\": 0.9"));
  CHECK(held.verdict == Verdict::held);
  CHECK(held.value == Approx(0.98));
  CHECK(held.low == Approx(0.98 - 0.024841).epsilon(1e-4));
  CHECK(held.high == Approx(0.98 + 0.024841).epsilon(1e-4));
  CHECK(held.seeds == 3);
  CHECK(held.rule == "held when at least 0.9");
  CHECK(held.measure == "last q of Post-LN, layers=2 minus last q of Pre-LN, layers=2");

  CHECK(judged(difference("\"at_most\": 0.9")).verdict == Verdict::did_not_hold);
  CHECK(judged(difference("\"at_least\": 1.1")).verdict == Verdict::did_not_hold);
  CHECK(judged(difference("\"at_least\": 0.9, \"at_most\": 1.1")).verdict == Verdict::held);
  const ClaimResult over = judged(difference("\"at_least\": 0.97"));
  CHECK(over.verdict == Verdict::undecided);
  CHECK(over.reason == "the interval reaches over an end of the range");
}

TEST_CASE("with too few seeds a claim is undecided, however clear the numbers are") {
  const ClaimResult two = judged(difference("\"at_least\": 0.1"), fill_q, "[1, 2]");
  CHECK(two.verdict == Verdict::undecided);
  CHECK(two.reason == "too few seeds: 2, must be at least 3");
  CHECK(two.value == Approx(0.985));
  const ClaimResult one = judged(difference("\"at_least\": 0.1", ", \"least_seeds\": 2"), fill_q, "[1]");
  CHECK(one.verdict == Verdict::undecided);
  CHECK(one.value == Approx(0.99));
  CHECK(one.high == kInfinity);
  CHECK(judged(difference("\"at_least\": 0.1", ", \"least_seeds\": 2"), fill_q, "[1, 2]").verdict == Verdict::held);
}

TEST_CASE("while runs are not over a claim is undecided, and shows what there is") {
  const auto fill = [](ObservedRun& run) {
    fill_q(run);
    if (run.seed == 3 && is_post(run)) run.state = RunState::unfinished;
    if (run.seed == 1 && layers_of(run) == 8) run.state = RunState::missing;  // not looked at
  };
  const ClaimResult result = judged(difference("\"at_least\": 0.1"), fill);
  CHECK(result.verdict == Verdict::undecided);
  CHECK(result.reason == "1 of 6 runs are not over");
  CHECK(result.seeds == 2);
  CHECK(result.value == Approx(0.985));

  const auto none = [](ObservedRun& run) { run.state = RunState::missing; };
  const ClaimResult nothing = judged(difference("\"at_least\": 0.1"), none);
  CHECK(nothing.reason == "6 of 6 runs are not over");
  CHECK(nothing.seeds == 0);
  CHECK(std::isnan(nothing.value));
}

TEST_CASE("what no run has is told, not guessed") {
  const auto fill = [](ObservedRun& run) {
    run.quantities["valid_nll"] = {{1, "", 2}};
    run.quantities["q_of_sites"] = {{1, "layers.0.x", 1}, {1, "layers.0.y", 1}};
  };
  const auto reason = [&](const std::string& operand) {
    const ClaimResult result = judged(claim(R"({"of": {"arms": ["Pre-LN", "layers=2"], )" + operand + "}}"), fill);
    CHECK(result.verdict == Verdict::undecided);
    return result.reason;
  };
  CHECK(reason(R"("quantity": "valid_nl")") ==
        "the run Pre-LN_layers=2_seed=1 has no quantity \"valid_nl\"; did you mean \"valid_nll\"? "
        "known here: q_of_sites, valid_nll");
  CHECK(reason(R"("quantity": "q_of_sites", "sites": "encoder.*")") ==
        "no site of q_of_sites matches \"encoder.*\"; it has layers.0.x, layers.0.y");
  CHECK(reason(R"("quantity": "q_of_sites")") ==
        "2 sites of q_of_sites match \"*\", such as layers.0.x and layers.0.y; narrow the sites or say `across` which "
        "number is meant");
  CHECK(reason(R"("quantity": "q_of_sites", "across": "last")") ==
        "the sites \"*\" must match one site of the last layer, got layers.0.x and layers.0.y");
  CHECK(reason(R"("quantity": "valid_nll", "at": "5")") == "the run Pre-LN_layers=2_seed=1 has no valid_nll at step 5");
}

TEST_CASE("without a trained baseline a comparison does not count") {
  const std::string baseline = R"(, "baseline": [{"arms": ["Pre-LN", "layers=2"], "quantity": "q", "at_most": )";
  CHECK(judged(difference("\"at_least\": 0.9", baseline + "1.1}]")).verdict == Verdict::held);
  const ClaimResult untrained = judged(difference("\"at_least\": 0.9", baseline + "1}]"));
  CHECK(untrained.verdict == Verdict::undecided);
  CHECK(untrained.reason == "baseline untrained: last q of Pre-LN, layers=2 is 1.04, must be at most 1");
  const auto unfinished = [](ObservedRun& run) {
    fill_q(run);
    if (layers_of(run) == 8 && run.seed > 1) run.state = RunState::unfinished;
  };
  const std::string other = R"(, "baseline": [{"arms": ["Pre-LN", "layers=8"], "quantity": "q", "at_most": 1.1}])";
  const ClaimResult early = judged(difference("\"at_least\": 0.9", other), unfinished);
  CHECK(early.verdict == Verdict::undecided);
  CHECK(early.reason == "2 of 9 runs are not over");
}

TEST_CASE("runs that diverged count as infinitely bad") {
  const auto fill = [](ObservedRun& run) {
    fill_q(run);
    if (!is_post(run) || run.seed == 1) return;
    diverge(run, 5);
    run.quantities["q"] = {{5, "", kInfinity}};
  };
  const ClaimResult six = judged(difference("\"at_least\": 0.9"), fill, kSix);
  CHECK(six.verdict == Verdict::held);
  CHECK(six.method == "median, order statistics");
  CHECK(six.value == kInfinity);
  CHECK(six.low == Approx(0.99));
  CHECK(judged(difference("\"at_most\": 0.9"), fill, kSix).verdict == Verdict::did_not_hold);
  const ClaimResult three = judged(difference("\"at_least\": 0.9"), fill);
  CHECK(three.verdict == Verdict::undecided);
  CHECK(three.reason == "3 seeds do not bound the median, order statistics");
  const ClaimResult both =
      judged(claim("{\"kind\": \"difference\", \"of\": " + kPost + ", \"minus\": " + kPost + "}"), fill, kSix);
  CHECK(both.verdict == Verdict::undecided);
}

TEST_CASE("the best arm of an axis is the one with the lowest mean validation loss") {
  const auto fill = [](ObservedRun& run) {
    run.result->final_nll = 5 - layers_of(run) / 8;
    run.quantities["q"] = {{1, "", layers_of(run)}};
    if (layers_of(run) == 8 && run.seed == 3) {
      diverge(run, 1);
      run.quantities["q"] = {{1, "", kInfinity}};
    }
  };
  const std::string best = R"({"of": {"arms": ["Pre-LN"], "best_over": ["layers"], "quantity": "q"}})";
  CHECK(judged(claim(best), fill).value == 4);
}

TEST_CASE("an order holds when each step does, and fails with one that does not") {
  const auto order = [](const std::string& first, const std::string& last, const std::string& held) {
    return claim("{\"kind\": \"order\", \"operands\": [" + first + ", " + kPost + ", " + last + "]}", held);
  };
  const std::string high = R"({"arms": ["Post-LN", "layers=8"], "quantity": "q"})";
  const auto fill = [](ObservedRun& run) {
    fill_q(run);
    if (layers_of(run) == 8) run.quantities["q"].back().value += 0.5;
  };
  const ClaimResult held = judged(order(kPre, high, "\"at_least\": 0.2"), fill);
  CHECK(held.verdict == Verdict::held);
  CHECK(held.value == Approx(0.5));
  CHECK_THAT(held.measure,
             ContainsSubstring("; the step shown is from last q of Post-LN, layers=2 to last q of Post-LN, layers=8"));
  CHECK(judged(order(kPre, high, "\"at_least\": 0.6"), fill).verdict == Verdict::did_not_hold);
  const ClaimResult turned = judged(order(kPre, kPre, "\"at_least\": 0"), fill);
  CHECK(turned.verdict == Verdict::did_not_hold);
  CHECK(turned.value == Approx(-0.98));
}

TEST_CASE("an order is undecided when a step reaches over an end of the range, though another lies lower in it") {
  const auto fill = [](ObservedRun& run) {
    const double seed = static_cast<double>(run.seed);
    run.quantities["q"] = {{1, "",
                            layers_of(run) == 2   ? 0
                            : layers_of(run) == 4 ? 0.2 + 0.01 * seed
                                                  : 0.7 + 0.2 * seed}};
  };
  const auto at = [](const std::string& layers) {
    return R"({"arms": ["Pre-LN", ")" + layers + R"("], "quantity": "q"})";
  };
  const std::string order =
      "{\"kind\": \"order\", \"operands\": [" + at("layers=2") + ", " + at("layers=4") + ", " + at("layers=8") + "]}";
  CHECK(judged(claim(order, R"("at_least": 0, "at_most": 1)"), fill).verdict == Verdict::undecided);
  CHECK(judged(claim(order, R"("at_least": 0, "at_most": 2)"), fill).verdict == Verdict::held);
}

TEST_CASE("agreement is a share of arms and seeds, and has the interval of so many trials") {
  const auto fill = [](ObservedRun& run) {
    run.quantities["bound"] = {{1, "", layers_of(run)}};
    run.quantities["broke"] = {{1, "", layers_of(run) == 8 ? 0.0 : layers_of(run)}};
  };
  const ClaimResult result = judged(claim(R"({"kind": "agreement", "of": {"arms": ["Pre-LN"], "quantity": "bound"},
                                     "with": {"quantity": "broke"}, "level": 4, "with_level": 4, "over": "layers"})",
                                          R"("at_least": 0.6)"),
                                    fill);
  CHECK(result.value == Approx(2.0 / 3));
  CHECK(result.low == Approx(share_estimate(6, 9).low));
  CHECK(result.high == Approx(share_estimate(6, 9).high));
  CHECK(result.seeds == 3);
  CHECK(result.verdict == Verdict::undecided);  // not held, though all seeds have the same share
}

TEST_CASE("shares of seeds have their own interval") {
  const std::string all =
      claim("{\"kind\": \"fraction\", \"of\": " + kPost + ", \"at_least\": 2}", "\"at_least\": 0.5");
  CHECK(judged(all).verdict == Verdict::undecided);  // 3 of 3 may be 29 %
  CHECK(judged(all, fill_q, kSix).verdict == Verdict::held);
  CHECK(judged(claim("{\"kind\": \"fraction\", \"of\": " + kPost + ", \"at_least\": 3}", "\"at_least\": 0.5"), fill_q,
               kSix)
            .verdict == Verdict::did_not_hold);
}

TEST_CASE("verdicts are written as JSON and as CSV, and shown") {
  const Experiment experiment = experiment_of(difference(
      "\"at_least\": 0.9", R"(, "source": "a paper, figure 3", "paper": 1.5, "differs": "size", "evidence": false)"));
  std::vector<ClaimResult> results = judge(experiment, runs_of(experiment, fill_q));
  results.push_back(results[0]);
  results[1].id = "D";
  results[1].paper.reset();
  results[1].high = kInfinity;
  const test::TemporaryFolder folder;
  write_verdicts(results, folder.path());
  const auto json = nlohmann::json::parse(read_file(folder / "verdicts.json"));
  REQUIRE(json.size() == 2);
  CHECK(json[0]["id"] == "C");
  CHECK(json[0]["verdict"] == "held");
  CHECK(json[0]["paper"] == 1.5);
  CHECK(json[0]["evidence"] == "no");
  CHECK_FALSE(json[1].contains("paper"));
  CHECK(json[1]["high"] == "inf");
  const std::string csv = read_file(folder / "verdicts.csv");
  CHECK(csv.rfind("id,claim,source,verdict,reason,value,low,high,paper,seeds,method,measure,rule,differs,evidence\nC,",
                  0) == 0);
  CHECK_THAT(csv, ContainsSubstring("\"a paper, figure 3\",held,"));

  const std::string table = verdict_table(results);
  CHECK_THAT(table, ContainsSubstring("C  held          it is so (a paper, figure 3)\n"));
  CHECK_THAT(table, ContainsSubstring("0.98, 95 % interval 0.9552 to 1.005 (mean, Student's t; 3 seeds)"));
  results[0].seeds = 1;
  CHECK_THAT(verdict_table({results[0]}),
             ContainsSubstring("0.98, 95 % interval 0.9552 to 1.005 (mean, Student's t; 1 seed)"));
  results[0].high = kInfinity;
  CHECK_THAT(verdict_table({results[0]}), ContainsSubstring("0.98, one seed and so no interval\n"));
  CHECK_THAT(table,
             ContainsSubstring("held when at least 0.9: the interval lies in the range; the paper's value is 1.5"));
  CHECK_THAT(table, ContainsSubstring("too small to be evidence"));
  CHECK(verdict_table({}).empty());
}

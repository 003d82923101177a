// Claims in a config: what is read, and the messages about what is wrong with them.
#include "train/experiment/claim.h"

#include "observed.h"
#include "tests/support/catch.h"

using namespace normlab;
using namespace normlab::made_up;

namespace {

std::string complaint(const std::string& claims) {
  return complaint_of([&] { experiment_of(claims); });
}

// About the operand of a value.
std::string about(const std::string& operand) { return complaint(claim("{\"of\": {" + operand + "}}")); }

}  // namespace

TEST_CASE("a claim is read with its measure, and its resolved form says the same") {
  const Experiment experiment = experiment_of(R"({"id": "X3", "claim": "it rises", "source": "a paper", "paper": 1.66,
      "differs": "width", "held": {"at_least": 1.2}, "least_seeds": 10,
      "measure": {"kind": "slope", "axes": "semi_log",
                  "of": {"arms": ["Post-LN", "layers=4"], "quantity": "weight_gradient_norm",
                         "sites": "*.w2", "at": "1"}},
      "baseline": [{"arms": ["Pre-LN"], "best_over": ["layers"], "quantity": "valid_nll", "at_most": 3}]})");
  REQUIRE(experiment.claims.size() == 1);
  const ClaimConfig& claim = experiment.claims[0];
  CHECK(claim.id == "X3");
  CHECK(claim.paper == 1.66);
  CHECK(claim.held.words() == "at least 1.2");
  CHECK(claim.least_seeds == 10);
  CHECK(claim.evidence);
  CHECK(claim.measure->words() ==
        "factor per unit of weight_gradient_norm at *.w2 of Post-LN, layers=4 at step 1 over layers");
  REQUIRE(claim.baseline.size() == 1);
  CHECK(words_of(claim.baseline[0]) == "last valid_nll of Pre-LN (best over layers)");
  Series over_arms;
  over_arms.quantity = "valid_nll";
  over_arms.best_over = {"0", "rate"};
  CHECK(words_of(over_arms) == "valid_nll (best over the arms, rate)");
  const Experiment again = parse_experiment(to_lines(experiment.resolved), "resolved");
  CHECK(to_lines(again.resolved) == to_lines(experiment.resolved));
}

TEST_CASE("claims, question and cost are no part of a run's own config") {
  const Experiment experiment =
      experiment_of(claim(R"({"of": {"arms": ["Pre-LN"], "best_over": ["1"], "quantity": "q"}})"));
  const JsonNode run = resolved(experiment.runs[0].config);
  for (const char* name : {"question", "cost", "claims", "sweep"}) CHECK(run.find(name) == nullptr);
  CHECK(text_of_runs(experiment.resolved) == text_of_runs(experiment_of("").resolved));
}

TEST_CASE("an unknown arm is told with the one that was probably meant") {
  CHECK(about(R"("arms": ["Post-NL", "layers=2"], "quantity": "q")") ==
        "test.json:2: claims[0].measure.of: no arm is named \"Post-NL\"; did you mean \"Post-LN\"? "
        "known here: Post-LN, Pre-LN, layers=2, layers=4, layers=8");
  CHECK(about(R"("arms": ["RMS"], "quantity": "q")") ==
        "test.json:2: claims[0].measure.of: no arm is named \"RMS\"; known here: Post-LN, Pre-LN, layers=2, layers=4, "
        "layers=8");
  CHECK(complaint_of([] {
          parse_experiment(R"({"train": {"steps": 1}, "claims": [{"id": "X", "claim": "?", "held": {"at_most": 1},
                               "measure": {"of": {"arms": ["Pre-LN"], "quantity": "q"}}}]})",
                           "test.json");
        }) == "test.json:2: claims[0].measure.of: the experiment has no arms, got \"Pre-LN\"");
}

TEST_CASE("a mistyped arm is found in every operand of every measure, and in a baseline") {
  const std::string good = R"({"arms": ["Pre-LN", "layers=2"], "quantity": "q"})";
  const std::string bad = R"({"arms": ["Pre-NL", "layers=2"], "quantity": "q"})";
  const std::string row = R"({"arms": ["Pre-LN"], "quantity": "q"})",
                    bad_row = R"({"arms": ["Pre-NL"], "quantity": "q"})";
  const auto measure = [](const std::string& kind, const std::string& rest) {
    return claim("{\"kind\": \"" + kind + "\", " + rest + "}");
  };
  const auto both = [&](const std::string& kind, const std::string& a, const std::string& b, const std::string& one,
                        const std::string& wrong, const std::string& rest = "") {
    CHECK(complaint(measure(kind, "\"" + a + "\": " + one + ", \"" + b + "\": " + one + rest)) == "");
    for (const bool first : {false, true}) {
      INFO(kind << ", " << (first ? a : b));
      CHECK_THAT(complaint(measure(kind, "\"" + a + "\": " + (first ? wrong : one) + ", \"" + b +
                                             "\": " + (first ? one : wrong) + rest)),
                 ContainsSubstring("claims[0].measure." + (first ? a : b) + ": no arm is named \"Pre-NL\""));
    }
  };
  both("ratio", "of", "to", good, bad);
  both("difference", "of", "minus", good, bad);
  both("part", "from", "through", good, bad, ", \"to\": " + good);
  both("part", "through", "to", good, bad, ", \"from\": " + good);
  both("steps_to_reach", "of", "level_of", good, bad);
  both("fit", "of", "to", row, bad_row, R"(, "over": "layers")");
  const std::string rest = R"(, "over": "layers")";
  for (const auto& [kind, more] : {std::pair<std::string, std::string>{"value", ""},
                                   {"fraction", R"(, "at_least": 1)"},
                                   {"exceeds", ""},
                                   {"tail", R"(, "across": "max")"}}) {
    INFO(kind);
    CHECK_THAT(complaint(measure(kind, "\"of\": " + bad + more)), ContainsSubstring("no arm is named \"Pre-NL\""));
  }
  for (const std::string kind : {"slope", "spread"}) {
    CHECK_THAT(complaint(measure(kind, "\"of\": " + bad_row + rest)), ContainsSubstring("no arm is named \"Pre-NL\""));
  }
  CHECK_THAT(complaint(measure("agreement", "\"of\": " + bad_row + R"(, "with": {"quantity": "r"})" + rest)),
             ContainsSubstring("no arm is named \"Pre-NL\""));
  CHECK_THAT(complaint(measure("order", "\"operands\": [" + good + ", " + bad + "]")),
             ContainsSubstring("measure.operands[1]: no arm is named \"Pre-NL\""));
  CHECK_THAT(complaint(claim("{\"of\": " + good + "}", R"("at_least": 1)",
                             R"(, "baseline": [{"arms": ["Pre-NL", "layers=2"], "quantity": "q", "at_most": 1}])")),
             ContainsSubstring("no arm is named \"Pre-NL\""));
}

TEST_CASE("an operand that leaves several arms of an axis is ambiguous") {
  CHECK(about(R"("arms": ["Post-LN"], "quantity": "q")") ==
        "test.json:2: claims[0].measure.of: must leave one arm of each axis; of sweep.axes[1] it leaves "
        "layers=2, layers=4, layers=8: name one in arms, or put \"layers\" in best_over");
  CHECK(about(R"("arms": ["Post-LN", "layers=2", "layers=4"], "quantity": "q")") ==
        "test.json:2: claims[0].measure.of: must leave one arm of each axis; of sweep.axes[1] it leaves "
        "layers=2, layers=4: name one in arms, or put \"layers\" in best_over");
  CHECK(about(R"("arms": ["layers=2"], "quantity": "q")") ==
        "test.json:2: claims[0].measure.of: must leave one arm of each axis; of sweep.axes[0] it leaves "
        "Post-LN, Pre-LN: name one in arms, or put \"0\" in best_over");
  CHECK(about(R"("arms": ["Post-LN"], "best_over": ["layers"], "quantity": "q")") == "");
  CHECK(complaint_of([] {
          parse_experiment(R"({"train": {"steps": 1}, "sweep": {"axes": [{"a": {}, "b": {}}, {"a": {}, "c": {}}]},
                               "claims": [{"id": "X", "claim": "?", "held": {"at_most": 1},
                                           "measure": {"of": {"arms": ["a"], "quantity": "q"}}}]})",
                           "test.json");
        }) == "test.json:3: claims[0].measure.of: \"a\" is an arm of two axes; give one of them another name");
}

TEST_CASE("what agreement foretells is of the same runs") {
  CHECK(complaint(claim(R"({"kind": "agreement", "of": {"arms": ["Pre-LN"], "quantity": "q"},
                            "with": {"arms": ["Post-LN"], "quantity": "r"}, "over": "layers"})")) ==
        "test.json:3: claims[0].measure.with: must name no arms or best_over: they are those of `of`");
}

TEST_CASE("an axis is named by its path, its last part or its number") {
  for (const std::string axis : {"model.layers", "layers", "1"}) {
    CHECK(about(R"("arms": ["Post-LN"], "quantity": "q", "best_over": [")" + axis + "\"]") == "");
  }
  CHECK(
      about(R"("arms": ["Post-LN"], "best_over": ["layer"], "quantity": "q")") ==
      "test.json:2: claims[0].measure.of: no axis is named \"layer\"; did you mean \"layers\"? known here: 0, layers");
  CHECK(complaint_of([] {
          parse_experiment(
              R"({"train": {"steps": 1}, "model": {"kind": "translation"}, "data": {"kind": "synthetic_translation"},
                               "sweep": {"axes": [{"model.encoder.layers": [1, 2]}, {"model.decoder.layers": [1, 2]}]},
                               "claims": [{"id": "X", "claim": "?", "held": {"at_most": 1},
                                           "measure": {"of": {"best_over": ["layers"], "quantity": "q"}}}]})",
              "test.json");
        }) ==
        "test.json:4: claims[0].measure.of: \"layers\" may be any of the axes model.encoder.layers, "
        "model.decoder.layers: say which");
  CHECK(complaint_of([] {
          parse_experiment(
              R"({"train": {"steps": 1}, "model": {"kind": "translation"}, "data": {"kind": "synthetic_translation"},
                               "sweep": {"axes": [{"model.encoder.layers": [1, 2]}, {"model.decoder.layers": [1, 2]}]},
                               "claims": [{"id": "X", "claim": "?", "held": {"at_most": 1},
                                           "measure": {"kind": "spread", "over": "0",
                                                       "of": {"best_over": ["1"], "quantity": "q"}}}]})",
              "test.json");
        }) == "test.json:5: claims[0].measure.of: \"layers=1\" is an arm of two axes; give one of them another name");
  const std::string of = R"("of": {"arms": ["layers=2"], "quantity": "q"}, "over": )";
  CHECK(complaint(claim("{\"kind\": \"slope\", " + of + "\"0\"}")) ==
        "test.json:2: claims[0].measure.of: goes over \"0\", whose arms must hold numbers; \"Post-LN\" holds none");
  CHECK(complaint(claim("{\"kind\": \"spread\", " + of + "\"0\"}")) == "");
  CHECK(complaint(claim(R"({"kind": "slope", "of": {"arms": ["Pre-LN"], "best_over": ["1"], "quantity": "q"},
                            "over": "layers"})")) ==
        "test.json:2: claims[0].measure.of: the axis \"layers\" cannot be gone over and in best_over too");
}

TEST_CASE("what a measure needs must be given") {
  const std::string q = R"({"arms": ["Pre-LN", "layers=2"], "quantity": "q"})";
  CHECK(
      complaint(claim(R"({"kind": "rtaio"})")) ==
      "test.json:2: claims[0].measure.kind: must be one of value, ratio, difference, part, order, "
      "steps_to_reach, fraction, exceeds, tail, slope, fit, spread, agreement; got \"rtaio\"; did you mean \"ratio\"?");
  CHECK(complaint(claim("{\"kind\": \"ratio\", \"of\": " + q + "}")) ==
        "test.json:2: claims[0].measure.to.quantity: must be given");
  CHECK(complaint(claim("{\"kind\": \"ratio\", \"of\": " + q + ", \"minus\": " + q + "}")) ==
        "test.json:2: claims[0].measure.to.quantity: must be given\n"
        "test.json:2: claims[0].measure.minus: unknown key for the kind \"ratio\"; known here: kind, of, to");
  CHECK(complaint(claim("{\"kind\": \"order\", \"operands\": [" + q + "]}")) ==
        "test.json:2: claims[0].measure.operands: must be at least 2, got 1");
  CHECK(complaint(claim("{\"kind\": \"order\", \"operands\": [" + q + ",\n{\"quantity\": \"q\"}]}")) ==
        "test.json:3: claims[0].measure.operands[1]: must leave one arm of each axis; of sweep.axes[0] it leaves "
        "Post-LN, Pre-LN: name one in arms, or put \"0\" in best_over");
  CHECK(complaint(claim("{\"kind\": \"steps_to_reach\", \"of\": " + q + "}")) ==
        "test.json:2: claims[0].measure.level: either this or level_of with a quantity must be given, not both");
  CHECK(complaint(claim("{\"kind\": \"fit\", \"of\": " + q + ", \"x\": [1]}")) ==
        "test.json:2: claims[0].measure.y: must be as many as x, 1, got 0");
  CHECK(complaint(claim("{\"kind\": \"fraction\", \"of\": " + q + "}")) ==
        "test.json:2: claims[0].measure.at_least: at_least or at_most must be given");
  CHECK(
      about(R"("arms": ["Pre-LN", "layers=2"], "quantity": "q", "at": "end")") ==
      "test.json:2: claims[0].measure.of.at: must be one of last, first, best, max, min, mean, median, p99 or a step, "
      "got \"end\"");
}

TEST_CASE("the range must be given and not be empty, and ids must differ") {
  const std::string value = R"({"of": {"arms": ["Pre-LN", "layers=2"], "quantity": "q"}})";
  CHECK(complaint(claim(value, "")) == "test.json:2: claims[0].held.at_least: at_least or at_most must be given");
  CHECK(complaint(claim(value, R"("at_least": 2, "at_most": 1)")) ==
        "test.json:2: claims[0].held.at_most: must be at least at_least 2, got 1");
  CHECK(complaint(claim(value) + ",\n" + claim(value)) == "test.json:3: claims[1].id: the id C is given twice");
  CHECK(
      complaint(R"({"id": "C"})").find("test.json:2: claims[0].claim: missing; it has no default and must be given") ==
      0);
  CHECK(complaint(claim(value, R"("at_most": 1)",
                        R"(, "baseline": [{"arms": ["Pre-NL"], "quantity": "q", "at_most": 1}])")) ==
        "test.json:2: claims[0].baseline[0]: no arm is named \"Pre-NL\"; did you mean \"Pre-LN\"? "
        "known here: Post-LN, Pre-LN, layers=2, layers=4, layers=8");
}

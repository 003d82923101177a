// Each measure by values computed by hand, runs that diverged and numbers that are not there included.
#include "train/experiment/measures.h"

#include "observed.h"
#include "tests/support/catch.h"
#include "train/experiment/statistics.h"

using namespace normlab;
using namespace normlab::made_up;

namespace {

const std::string kPost = R"({"arms": ["Post-LN", "layers=2"], "quantity": "q"})";
const std::string kPre = R"({"arms": ["Pre-LN", "layers=2"], "quantity": "q"})";

// q is 10 * seed + layers for Post-LN, and 2 more than layers for Pre-LN.
void fill_q(ObservedRun& run) {
  const double post = 10 * static_cast<double>(run.seed) + layers_of(run);
  run.quantities["q"] = {{0, "", -1}, {10, "", is_post(run) ? post : layers_of(run) + 2}};
}

void check_values(const std::vector<double>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO("seed " << i + 1 << ": " << found[i]);
    if (std::isnan(expected[i])) {
      CHECK(std::isnan(found[i]));
    } else {
      CHECK(found[i] == Approx(expected[i]));
    }
  }
}

std::string measure(const std::string& kind, const std::string& rest) {
  return "{\"kind\": \"" + kind + "\", " + rest + "}";
}

}  // namespace

TEST_CASE("value, ratio and difference are taken seed by seed") {
  check_values(measured(measure("value", "\"of\": " + kPost), fill_q), {12, 22, 32});
  check_values(measured(measure("ratio", "\"of\": " + kPost + ", \"to\": " + kPre), fill_q), {3, 5.5, 8});
  check_values(measured(measure("difference", "\"of\": " + kPost + ", \"minus\": " + kPre), fill_q), {8, 18, 28});
  const std::string size = "\"of\": " + kPre + ", \"minus\": " + kPost + ", \"absolute\": true";
  check_values(measured(measure("difference", size), fill_q), {8, 18, 28});
}

TEST_CASE("the part of a difference that the first of two changes makes") {
  const std::string between = R"({"arms": ["Pre-LN", "layers=4"], "quantity": "q"})";
  const std::string operands = "\"from\": " + kPost + ", \"through\": " + between + ", \"to\": " + kPre;
  check_values(measured(measure("part", operands), fill_q), {6.0 / 8, 16.0 / 18, 26.0 / 28});
}

TEST_CASE("an operand makes one number of the steps of each site, and one of the sites") {
  const auto fill = [](ObservedRun& run) {
    run.quantities["valid_nll"] = {{1, "", 3}, {2, "", 2}, {3, "", 4}};
    run.quantities["q"] = {{1, "layers.10.x", 7}, {1, "layers.9.x", 1},  {2, "layers.10.x", 5},
                           {2, "layers.9.x", 2},  {3, "layers.10.x", 9}, {3, "layers.9.x", 6}};
  };
  const auto value = [&](const std::string& at, const std::string& across) {
    const std::string of = R"({"arms": ["Pre-LN", "layers=2"], "quantity": "q", "at": ")" + at + R"(", "across": ")";
    return measured(measure("value", "\"of\": " + of + across + "\"}"), fill).at(0);
  };
  CHECK(value("last", "first") == 6);
  CHECK(value("last", "last") == 9);
  CHECK(value("last", "mean") == 7.5);
  CHECK(value("first", "max") == 7);
  CHECK(value("first", "min") == 1);
  CHECK(value("best", "last") == 5);
  CHECK(value("2", "first") == 2);
  CHECK(value("max", "first") == 6);
  CHECK(value("min", "last") == 5);
  CHECK(value("mean", "last") == 7);
  CHECK(value("median", "first") == 2);
  CHECK(value("p99", "last") == Approx(8.96));  // 0.98 of the way from 7 to 9
}

TEST_CASE("a seed that one side lacks is left out of a comparison") {
  const auto fill = [](ObservedRun& run) {
    fill_q(run);
    if (is_post(run) && run.seed == 2) run.state = RunState::unfinished;
    if (!is_post(run) && run.seed == 3) run.state = RunState::missing;
  };
  check_values(measured(measure("difference", "\"of\": " + kPost + ", \"minus\": " + kPre), fill), {8});
}

TEST_CASE("the loss of a run that diverged is infinite, and what it never had is not known") {
  const auto fill = [](ObservedRun& run) {
    fill_q(run);
    if (is_post(run) && run.seed == 1) {
      diverge(run, 7);
      run.quantities["q"].back() = {7, "", kInfinity};
    }
    if (is_post(run) && run.seed == 2) {
      diverge(run, 7);
      run.quantities.clear();
    }
  };
  check_values(measured(measure("difference", "\"of\": " + kPost + ", \"minus\": " + kPre), fill),
               {kInfinity, kNaN, 28});
  const std::string at_9 = R"({"arms": ["Post-LN", "layers=2"], "quantity": "q", "at": "10"})";
  check_values(measured(measure("value", "\"of\": " + at_9), fill), {kInfinity, kNaN, 32});
}

TEST_CASE("order gives each step up between neighbours") {
  const std::string operands = "\"operands\": [" + kPre + ", " + kPost + ", " + kPre + "]";
  const Experiment experiment = experiment_of(claim(measure("order", operands)));
  const auto runs = runs_of(experiment, fill_q);
  const auto samples = experiment.claims[0].measure->samples({experiment.sweep->axes, runs});
  REQUIRE(samples.size() == 2);
  CHECK(samples[0].by_seed == std::map<std::int64_t, double>{{1, 8}, {2, 18}, {3, 28}});
  CHECK(samples[1].by_seed == std::map<std::int64_t, double>{{1, -8}, {2, -18}, {3, -28}});
  CHECK(samples[0].of == "from last q of Pre-LN, layers=2 to last q of Post-LN, layers=2");
}

TEST_CASE("the slope of a line, of its logarithms, and the factor by unit") {
  const std::vector<Point> line = {{1, 5}, {2, 7}, {4, 11}}, power = {{1, 3}, {2, 12}, {4, 48}};
  const std::vector<Point> growth = {{1, 2}, {2, 6}, {3, 18}};
  CHECK(slope_of(line, LineAxes::linear) == Approx(2));
  CHECK(slope_of(power, LineAxes::log_log) == Approx(2));
  CHECK(slope_of(growth, LineAxes::semi_log) == Approx(3));
  CHECK(slope_of({{0, 0}, {1, 0}, {2, 3}}, LineAxes::linear) == Approx(1.5));  // least squares: 3 / 2
  CHECK(std::isnan(slope_of({{1, 1}}, LineAxes::linear)));
  CHECK(std::isnan(slope_of({{1, 1}, {1, 2}}, LineAxes::linear)));
  CHECK(std::isnan(slope_of({{1, -1}, {2, 1}}, LineAxes::semi_log)));
}

TEST_CASE("a slope goes over the layers of sites or over an axis of numbers") {
  const auto fill = [](ObservedRun& run) {
    const double factor = static_cast<double>(run.seed) + 1;
    run.quantities["g"] = {{1, "layers.10.ffn", std::pow(factor, 11)},
                           {1, "layers.2.ffn", std::pow(factor, 3)},
                           {1, "layers.0.ffn", factor},
                           {1, "layers.0.attention", 99}};
    run.quantities["depth"] = {{1, "", std::pow(layers_of(run), factor)}};
  };
  const std::string sites = R"("of": {"arms": ["Pre-LN", "layers=4"], "quantity": "g", "sites": "*.ffn"})";
  check_values(measured(measure("slope", sites + R"(, "axes": "semi_log")"), fill), {2, 3, 4});
  const std::string depths = R"("of": {"arms": ["Pre-LN"], "quantity": "depth"}, "over": )";
  check_values(measured(measure("slope", depths + "\"layers\""), fill), {2, 3, 4});
  check_values(measured(measure("slope", depths + "\"model.layers\""), fill), {2, 3, 4});
  check_values(measured(measure("slope", depths + "\"1\""), fill), {2, 3, 4});
  const std::string two = R"("of": {"arms": ["Pre-LN", "layers=2", "layers=8"], "quantity": "depth"}, "over": "1")";
  check_values(measured(measure("slope", two), fill), {2, 3, 4});
}

TEST_CASE("the number of an arm follows its equals sign, or is the first in its name") {
  const auto slope = [](const std::string& axis, const std::vector<double>& y) {
    const Experiment experiment = parse_experiment(
        R"({"question": "?", "train": {"steps": 1}, "sweep": {"seeds": [1], "axes": [)" + axis + "]}, \"claims\": [" +
            claim(measure("slope", R"("of": {"quantity": "q"}, "over": "0", "axes": "linear")")) + "]}",
        "test.json");
    std::vector<ObservedRun> runs = runs_of(experiment, [](ObservedRun&) {});
    for (std::size_t i = 0; i < y.size(); ++i) runs[i].quantities["q"] = {{1, "", y[i]}};
    return experiment.claims[0].measure->samples({experiment.sweep->axes, runs}).at(0).by_seed.at(1);
  };
  CHECK(slope(R"({"train.optimizer.beta2": [0.9, 0.95]})", {1, 2}) == Approx(20));
  CHECK(slope(R"({"alpha .9": {"model.layers": 1}, "alpha .95": {"model.layers": 2}})", {1, 2}) == Approx(20));
  CHECK(slope(R"({"T=4 steps": {"model.layers": 1}, "T=-4": {"model.layers": 2}})", {1, 2}) == Approx(-0.125));
}

TEST_CASE("a fit is as bad as its worst point") {
  CHECK(deviation_of({{1, 2}, {2, 4.4}, {3, 5.7}}, {2, 4, 6}, false) == Approx(0.1));
  CHECK(deviation_of({{1, 2}, {2, 4}}, {1, 2}, true) == Approx(0).margin(1e-12));
  CHECK(deviation_of({{1, 1}, {2, 4}}, {1, 1}, true) == Approx(1));  // the factor is 2
  CHECK(std::isnan(deviation_of({{1, kNaN}, {2, 4}}, {1, 2}, false)));
  CHECK(deviation_of({{1, kInfinity}, {2, 4}}, {1, 2}, false) == kInfinity);

  const auto fill = [](ObservedRun& run) {
    const double off = 1 + 0.1 * static_cast<double>(run.seed);
    run.quantities["seen"] = {{0, "layers.0.x", 2 * off}, {0, "layers.1.x", 3}};
    run.quantities["predicted"] = {{0, "layers.1.y", 3}, {0, "layers.0.y", 2}};
  };
  const std::string seen = R"("of": {"arms": ["Pre-LN", "layers=4"], "quantity": "seen"})";
  const std::string predicted = R"("to": {"arms": ["Pre-LN", "layers=4"], "quantity": "predicted"})";
  check_values(measured(measure("fit", seen + ", " + predicted), fill), {0.1, 0.2, 0.3});
  check_values(measured(measure("fit", seen + R"(, "x": [1, 2], "y": [2, 2])"), fill), {0.5, 0.5, 0.5});
  CHECK(complaint_of([&] { measured(measure("fit", seen + R"(, "x": [1, 3], "y": [2, 2])"), fill); }) ==
        "the curve has no point at x = 2");
}

TEST_CASE("steps to reach a level, or the level of another run as a share of its steps") {
  const std::vector<Observation> falling = {{10, "", 5}, {20, "", 3}, {30, "", 4}, {40, "", 2}};
  CHECK(steps_to_reach(falling, 3, false) == 20);
  CHECK(steps_to_reach(falling, 2.5, false) == 40);
  CHECK(steps_to_reach(falling, 1, false) == kInfinity);
  CHECK(steps_to_reach({{10, "", 1}, {20, "", kNaN}, {30, "", 8}}, 7, true) == 30);
  CHECK(std::isnan(steps_to_reach(falling, kInfinity, false)));

  const auto fill = [](ObservedRun& run) {
    const double at_20 = is_post(run) ? 4 : 3, at_40 = is_post(run) ? 3 : 1;
    run.quantities["loss"] = {{10, "", 5}, {20, "", at_20}, {30, "", 3}, {40, "", at_40}};
    if (is_post(run) && run.seed == 2) {
      diverge(run, 40);
      run.quantities["loss"].back().value = kInfinity;
    }
    if (!is_post(run) && run.seed == 3) {
      diverge(run, 15);
      run.quantities["loss"] = {{10, "", 5}, {15, "", kInfinity}};
    }
  };
  const std::string of = R"("of": {"arms": ["Pre-LN", "layers=2"], "quantity": "loss"})";
  check_values(measured(measure("steps_to_reach", of + ", \"level\": 3"), fill), {20, 20, kInfinity});
  const std::string level_of = R"("level_of": {"arms": ["Post-LN", "layers=2"], "quantity": "loss"})";
  check_values(measured(measure("steps_to_reach", of + ", " + level_of), fill), {20.0 / 30, kNaN, kInfinity});
}

TEST_CASE("the share of seeds in a range") {
  check_values(measured(measure("fraction", "\"of\": " + kPost + ", \"at_least\": 20, \"at_most\": 30"), fill_q),
               {0, 1, 0});
  const auto fill = [](ObservedRun& run) { run.quantities["q"] = {{1, "", run.seed == 1 ? kNaN : kInfinity}}; };
  check_values(measured(measure("fraction", "\"of\": " + kPost + ", \"at_least\": 20"), fill), {kNaN, 1, 1});
}

TEST_CASE("exceeds takes the largest of all steps and sites over the bound") {
  const auto fill = [](ObservedRun& run) {
    run.quantities["q"] = {{1, "a", 3}, {1, "b", 8}, {2, "a", 5}, {2, "b", static_cast<double>(run.seed)}};
  };
  check_values(measured(measure("exceeds", "\"of\": " + kPost + ", \"bound\": 4"), fill), {2, 2, 2});
}

TEST_CASE("the tail is the 99th percentile over the median, site by site") {
  CHECK(quantile({4, 1, 2, 3}, 0.5) == Approx(2.5));
  CHECK(quantile({1, 2, 3}, 1) == 3);
  CHECK(quantile({1, kInfinity}, 0) == 1);
  CHECK(quantile({1, kInfinity, kInfinity}, 0.99) == kInfinity);
  CHECK(std::isnan(quantile({1, kNaN}, 0.5)));
  CHECK(std::isnan(quantile({}, 0.5)));
  const auto fill = [](ObservedRun& run) {
    for (int step = 0; step <= 100; ++step) {
      run.quantities["q"].push_back({step, "a", step == 99 ? 50.0 : step > 99 ? 60.0 : 10.0});
      run.quantities["q"].push_back({step, "b", 3});
    }
  };
  check_values(measured(measure("tail", R"("across": "max", "of": )" + kPost), fill), {5, 5, 5});
  check_values(measured(measure("tail", R"("across": "mean", "of": )" + kPost), fill), {3, 3, 3});
}

TEST_CASE("the spread over an axis, as a difference or a ratio") {
  const std::string of = R"("over": "layers", "of": {"arms": ["Pre-LN"], "quantity": "q"})";
  check_values(measured(measure("spread", of), fill_q), {6, 6, 6});
  check_values(measured(measure("spread", of + R"(, "as": "ratio")"), fill_q), {2.5, 2.5, 2.5});
  const auto fill = [](ObservedRun& run) {
    fill_q(run);
    if (run.seed == 1) run.quantities["q"].back().value = kNaN;
    if (run.seed == 2 && layers_of(run) == 4) run.state = RunState::unfinished;
  };
  check_values(measured(measure("spread", of), fill), {kNaN, 6});
}

TEST_CASE("agreement is the share of arms in which both numbers reach their levels or neither does") {
  const auto fill = [](ObservedRun& run) {
    run.quantities["bound"] = {{1, "", layers_of(run)}};
    run.quantities["broke"] = {{1, "", run.seed == 1 ? 9 - layers_of(run) : layers_of(run) + 1}};
    if (run.seed == 3 && layers_of(run) == 4) {
      diverge(run, 1);
      run.quantities.clear();
    }
  };
  const auto agreement = [](const std::string& levels) {
    return measure("agreement", R"("of": {"arms": ["Pre-LN"], "quantity": "bound"}, "with": {"quantity": "broke"}, )"
                                R"("over": "layers", )" +
                                    levels);
  };
  // bound is 2, 4, 8; broke 7, 5, 1 in seed 1, and 3, 5, 9 in the others.
  check_values(measured(agreement(R"("level": 4, "with_level": 5)"), fill), {1.0 / 3, 1, kNaN});
  check_values(measured(agreement(R"("level": 5, "with_level": 5)"), fill), {0, 2.0 / 3, kNaN});
  CHECK(experiment_of(claim(agreement(R"("level": 4, "with_level": 5)"))).claims[0].measure->words() ==
        "share of layers where last bound of Pre-LN is at least 4 exactly if last broke is at least 5");
}

TEST_CASE("steps before from_step are not looked at") {
  const auto fill = [](ObservedRun& run) {
    run.quantities["q"] = {{1, "layers.0.x", 9}, {2, "layers.0.x", 5}, {3, "layers.0.x", 6}};
  };
  const auto largest = [](const std::string& from) {
    return measure("exceeds", R"("of": {"arms": ["Post-LN", "layers=2"], "quantity": "q", "from_step": )" + from + "}");
  };
  check_values(measured(largest("1"), fill), {9, 9, 9});
  check_values(measured(largest("2"), fill), {6, 6, 6});
  CHECK(complaint_of([&] { measured(largest("4"), fill); }) ==
        "the run Post-LN_layers=2_seed=1 has no q from step 4 on");
  const Experiment experiment = experiment_of(claim(largest("2")));
  CHECK(experiment.claims[0].measure->words() == "largest q from step 2 of Post-LN, layers=2 over the bound 1");
}

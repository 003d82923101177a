// What a figure gathers from runs.
#include "train/report/figure_data.h"

#include <cmath>

#include "tests/support/catch.h"
#include "tests/train/report/runs.h"

using namespace normlab;
using made_up::axis;
using made_up::run;
using Names = std::vector<std::string>;

namespace {

FigureConfig figure(const std::string& kind, const std::string& quantity, const std::string& x) {
  FigureConfig made;
  made.name = "figure";
  made.kind = kind;
  made.quantity = quantity;
  made.x = x;
  return made;
}

// Two placements, two depths, two seeds. "loss" falls over the steps 0, 10, 20; "gradient" stands at each layer.
std::vector<ObservedRun> some_runs() {
  std::vector<ObservedRun> runs;
  for (const std::string placement : {"Post-LN", "Pre-LN"}) {
    for (const std::int64_t layers : {2, 10}) {
      for (const std::int64_t seed : {1, 2}) {
        ObservedRun made = run({placement, "layers=" + std::to_string(layers)}, seed);
        const double base = placement == "Post-LN" ? 4 : 2;
        for (const std::int64_t step : {0, 10, 20}) {
          made.quantities["loss"].push_back(
              {step, "", base + static_cast<double>(seed) / 10 - static_cast<double>(step) / 100});
        }
        for (std::int64_t layer = 0; layer < layers; ++layer) {
          made.quantities["gradient"].push_back(
              {0, "decoder.layers." + std::to_string(layer) + ".outer.weight", base * static_cast<double>(layer + 1)});
        }
        runs.push_back(made);
      }
    }
  }
  return runs;
}

const std::vector<Axis> kAxes = {axis("model.placement", {"Post-LN", "Pre-LN"}),
                                 axis("model.layers", {"layers=2", "layers=10"})};

Names labels(const FigureData& data) {
  Names all;
  for (const FigureSeries& series : data.series) all.push_back(series.label);
  return all;
}

}  // namespace

TEST_CASE("curves over steps: a series for each combination of arms, a value for each seed") {
  const FigureData data = gather(figure("curves", "loss", "step"), kAxes, some_runs());
  CHECK(labels(data) == Names{"Post-LN, layers=2", "Post-LN, layers=10", "Pre-LN, layers=2", "Pre-LN, layers=10"});
  CHECK(data.names.empty());
  REQUIRE(data.series[0].points.size() == 3);
  CHECK(data.series[0].points[1].x == 10);
  CHECK(data.series[0].points[1].values == std::vector<double>{4.1 - 0.1, 4.2 - 0.1});
  CHECK(data.note == "");
}

TEST_CASE("named arms choose within their axis, and an axis with one arm is no part of the label") {
  FigureConfig asked = figure("curves", "loss", "step");
  asked.arms = {"layers=10"};
  CHECK(labels(gather(asked, kAxes, some_runs())) == Names{"Post-LN", "Pre-LN"});
  asked.arms = {"layers=10", "Pre-LN"};
  const FigureData one = gather(asked, kAxes, some_runs());
  CHECK(labels(one) == Names{"loss"});
  CHECK(one.series[0].points[0].values == std::vector<double>{2.1, 2.2});
}

TEST_CASE("over an axis of numbers curves have their values, bars their order") {
  FigureData data = gather(figure("curves", "loss", "layers"), kAxes, some_runs());
  CHECK(labels(data) == Names{"Post-LN", "Pre-LN"});
  CHECK(data.series[0].points[1].x == 10);
  CHECK(data.series[0].points[1].values == std::vector<double>{4.1 - 0.2, 4.2 - 0.2});  // the last step
  data = gather(figure("bars", "loss", "model.layers"), kAxes, some_runs());
  CHECK(data.names == Names{"2", "10"});
  CHECK(data.series[0].points[1].x == 1);
  data = gather(figure("bars", "loss", "0"), kAxes, some_runs());
  CHECK(data.names == Names{"Post-LN", "Pre-LN"});
  CHECK(labels(data) == Names{"layers=2", "layers=10"});
}

TEST_CASE("named arms that end alike keep their places apart") {
  std::vector<ObservedRun> runs = some_runs();
  for (ObservedRun& run : runs) run.arms[0] += ", T=1";
  std::vector<Axis> axes = kAxes;
  for (Arm& arm : axes[0]) arm.name += ", T=1";
  CHECK(gather(figure("bars", "loss", "0"), axes, runs).names == Names{"Post-LN, T=1", "Pre-LN, T=1"});
}

TEST_CASE("over sites they stand by the number of their layer, runs of every depth in one order") {
  FigureConfig asked = figure("bars", "gradient", "site");
  asked.sites = "decoder.*.weight";
  const FigureData data = gather(asked, kAxes, some_runs());
  CHECK(data.names == Names{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"});
  CHECK(data.series[0].points.size() == 2);
  CHECK(data.series[3].points[9].values == std::vector<double>{20, 20});
  asked.sites = "encoder.*";
  CHECK(gather(asked, kAxes, some_runs()).note == "no run has values of gradient yet at sites like encoder.*");
}

TEST_CASE("sites whose layers do not tell them apart keep their names, and several make series of their own") {
  ObservedRun one = run({}, 1);
  for (const std::int64_t step : {1, 2}) {
    for (const std::string site : {"layers.0.norm1", "layers.0.norm2"}) one.quantities["q"].push_back({step, site, 1});
  }
  CHECK(gather(figure("bars", "q", "site"), {}, {one}).names == Names{"layers.0.norm1", "layers.0.norm2"});
  CHECK(labels(gather(figure("curves", "q", "step"), {}, {one})) == Names{"layers.0.norm1", "layers.0.norm2"});
}

TEST_CASE("where each run has one site of its own the sites are no series") {
  std::vector<ObservedRun> runs;
  for (const std::int64_t layers : {2, 10}) {
    ObservedRun made = run({"Post-LN", "layers=" + std::to_string(layers)}, 1);
    made.quantities["q"].push_back({0, "layers." + std::to_string(layers - 1) + ".weight", 1.0});
    runs.push_back(made);
  }
  const FigureData data = gather(figure("curves", "q", "layers"), kAxes, runs);
  CHECK(labels(data) == Names{"Post-LN"});
  CHECK(data.series[0].points.size() == 2);
}

TEST_CASE("`at` picks the step where x is another") {
  FigureConfig asked = figure("bars", "loss", "layers");
  asked.arms = {"Pre-LN"};
  const auto first_value = [&] { return gather(asked, kAxes, some_runs()).series.at(0).points.at(0).values.at(0); };
  CHECK(first_value() == 2.1 - 0.2);
  asked.at = "first";
  CHECK(first_value() == 2.1);
  asked.at = "10";
  CHECK(first_value() == 2.1 - 0.1);
}

TEST_CASE("boxes over steps gather the fifths of the run") {
  ObservedRun one = run({}, 1);
  for (std::int64_t step = 1; step <= 100; ++step)
    one.quantities["q"].push_back({step, "norm", static_cast<double>(step)});
  const FigureData data = gather(figure("boxes", "q", "step"), {}, {one});
  CHECK(data.names == Names{"20 %", "40 %", "60 %", "80 %", "100 %"});
  for (const FigurePoint& point : data.series[0].points) CHECK(point.values.size() == 20);
  CHECK(data.series[0].points[4].values.back() == 100);
}

TEST_CASE("values that are not finite are left out and the reader is told") {
  std::vector<ObservedRun> runs = some_runs();
  runs[0].quantities["loss"].back().value = INFINITY;
  runs[1].quantities["loss"].back().value = NAN;
  const FigureData data = gather(figure("curves", "loss", "step"), kAxes, runs);
  CHECK(data.series[0].points.size() == 2);
  CHECK(data.note == "2 of 8 runs have values that are not finite; these are left out");
  runs[2].quantities["loss"].back().value = -1;
  FigureConfig logarithmic = figure("curves", "loss", "step");
  logarithmic.log_y = true;
  CHECK(gather(logarithmic, kAxes, runs).note ==
        "3 of 8 runs have values that are not finite or not positive; these are left out");
}

TEST_CASE("the paper's values find their place and the series they belong to") {
  FigureConfig asked = figure("bars", "loss", "layers");
  asked.paper = {{"Pre-LN (paper)", {10, 2, 14}, {}, {3, 5, 7}}, {"theory", {2}, {}, {1}}};
  FigureData data = gather(asked, kAxes, some_runs());
  REQUIRE(data.paper.size() == 2);
  CHECK(data.paper[0].like == 1);
  REQUIRE(data.paper[0].points.size() == 2);  // 14 layers were not run
  CHECK(data.paper[0].points[0].x == 0);
  CHECK(data.paper[0].points[0].values[0] == 5);
  CHECK(data.paper[1].like == -1);
  asked.x = "0";
  asked.paper = {{"paper", {}, {"Pre-LN"}, {3}}};
  data = gather(asked, kAxes, some_runs());
  CHECK(data.paper[0].points.at(0).x == 1);
}

TEST_CASE("a point is summed up by its mean and what is drawn around it") {
  FigureConfig asked = figure("curves", "loss", "step");
  const FigurePoint point{0, {1, 4, 16}};
  CHECK(summarize(asked, point).mean == Approx(7));
  CHECK(summarize(asked, point).low == 1);
  CHECK(summarize(asked, point).high == 16);
  asked.log_y = true;
  CHECK(summarize(asked, point).mean == Approx(4));
  CHECK(summarize(asked, point).high == Approx(16));
  asked.kind = "bars";
  const double half = 4.30265 * std::log(4.0) / std::sqrt(3.0);  // t of 2 degrees, deviation ln 4
  CHECK(summarize(asked, point).high == Approx(4 * std::exp(half)).epsilon(1e-5));
  CHECK(summarize(asked, {0, {3}}).low == Approx(3));
}

TEST_CASE("a box has quartiles, whiskers within one and a half times their distance, and what lies beyond") {
  const Box box = box_of({9, 1, 2, 3, 4, 5, 6, 7, 8, 100});
  CHECK(box.quartile_1 == Approx(3.25));
  CHECK(box.median == Approx(5.5));
  CHECK(box.quartile_3 == Approx(7.75));
  CHECK(box.low == 1);
  CHECK(box.high == 9);
  CHECK(box.outliers == std::vector<double>{100});
}

TEST_CASE("the CSV holds every point, the paper's last") {
  FigureConfig asked = figure("bars", "loss", "layers");
  asked.arms = {"Pre-LN"};
  asked.at = "first";
  asked.paper = {{"a, \"b\"", {2}, {}, {5}}};
  const std::string csv = figure_csv(asked, gather(asked, kAxes, some_runs()));
  CHECK(csv.rfind("series,x,seeds,mean,low,high\nloss,2,2,2.15", 0) == 0);
  CHECK(csv.find("\n\"a, \"\"b\"\"\",2,,5,,\n") != std::string::npos);
  asked.kind = "boxes";
  CHECK(figure_csv(asked, gather(asked, kAxes, some_runs()))
            .rfind("series,x,values,low,quartile_1,median,quartile_3,high,outliers\n", 0) == 0);
}

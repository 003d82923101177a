// Figures drawn by gnuplot.
#include "train/report/drawing.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "tests/support/catch.h"
#include "tests/support/path.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/report/runs.h"
#include "train/files.h"
#include "train/process.h"

using namespace normlab;

namespace {

bool have_gnuplot() {
  try {
    return run_programs({{"gnuplot", "--version"}}).status == 0;
  } catch (const MachineError&) {
    return false;
  }
}

FigureConfig some_figure(const std::string& kind) {
  FigureConfig figure;
  figure.name = "a-" + kind;
  figure.title = "What's <b> & \"c\"?";
  figure.kind = kind;
  figure.quantity = "loss";
  figure.x = kind == "bars" || kind == "points" ? "site" : "step";
  figure.y_label = "it's 100 % 'loss'";
  figure.paper = {{"ours, the paper's", {1, 2}, {}, {1.5, 2}}};
  return figure;
}

FigureData some_data(const FigureConfig& figure) {
  std::vector<ObservedRun> runs;
  for (const std::int64_t seed : {1, 2, 3}) {
    ObservedRun run = made_up::run({}, seed);
    for (const std::int64_t step : {1, 2, 3, 40}) {
      for (const char* site : {"layers.0", "layers.1"}) {
        run.quantities["loss"].push_back({step, site, static_cast<double>(step * seed) + 0.25});
      }
    }
    runs.push_back(run);
  }
  return gather(figure, {}, runs);
}

}  // namespace

TEST_CASE("every kind of figure is drawn, as a file of its own and for a page") {
  if (!have_gnuplot()) {
    WARN("gnuplot is not installed: no figure is drawn");
    return;
  }
  const test::TemporaryFolder folder;
  for (const std::string kind : {"curves", "bars", "points", "boxes"}) {
    for (const bool logarithmic : {false, true}) {
      INFO(kind << (logarithmic ? ", logarithmic" : ""));
      FigureConfig figure = some_figure(kind);
      figure.log_x = figure.log_y = logarithmic;
      const FigureData data = some_data(figure);
      const Drawing drawing = draw(figure, data, folder / "figure.gnuplot");
      CHECK(drawing.trouble == "");
      CHECK(drawing.file.find("<title>What&#39;s &lt;b&gt; &amp; &quot;c&quot;?</title>") != std::string::npos);
      CHECK(drawing.file.find("it&apos;s") + drawing.file.find("it's 100 % 'loss'") != 2 * std::string::npos);
      CHECK(drawing.file.find("fill=\"#ffffff\"") != std::string::npos);
      CHECK(drawing.file.find("var(--") == std::string::npos);
      CHECK(drawing.on_page.rfind("<svg class=\"plot\" viewBox=\"0 0 560 ", 0) == 0);
      CHECK(drawing.on_page.find("var(--series-0)") != std::string::npos);
      CHECK(drawing.on_page.find("rgb(") == std::string::npos);  // no colour of its own
      CHECK(drawing.on_page.find("black") == std::string::npos);
      CHECK(drawing.on_page.find("id='gp") == std::string::npos);  // names are the figure's own
      CHECK(drawing.on_page.find("id='a-" + kind + "-gpPt0'") != std::string::npos);
      const Drawing again = draw(figure, data, folder / "again.gnuplot");
      CHECK(again.file == drawing.file);
      CHECK(again.on_page == drawing.on_page);
      CHECK(read_file(folder / "figure.gnuplot") == gnuplot_script(figure, data));
    }
  }
}

TEST_CASE("long names below the axis are slanted and end inside the picture") {
  if (!have_gnuplot()) {
    WARN("gnuplot is not installed: no figure is drawn");
    return;
  }
  const test::TemporaryFolder folder;
  const FigureConfig figure = some_figure("bars");
  FigureData data = some_data(figure);
  data.names = {"collapsed decay, rate 0.128, no ramp", "ramp, rate 0.128, the decay collapsed"};
  const std::string svg = draw(figure, data, folder / "figure.gnuplot").file;

  double width = 0, height = 0;
  std::sscanf(svg.c_str() + svg.find("viewBox=\"0 0 ") + 13, "%lf %lf", &width, &height);
  std::size_t names = 0;
  const std::string turned = "<g transform=\"translate(";
  for (std::size_t at = 0; (at = svg.find(turned, at)) != std::string::npos; at += turned.size()) {
    double x = 0, y = 0, degrees = 0;
    if (std::sscanf(svg.c_str() + at + turned.size(), "%lf,%lf) rotate(%lf)", &x, &y, &degrees) < 3) continue;
    if (degrees == 270) continue;  // the label of the y axis
    REQUIRE(names < data.names.size());
    const double length = 7.5 * static_cast<double>(data.names[names].size()), angle = degrees / 180 * std::acos(-1);
    INFO(data.names[names] << " at " << x << ", " << y << " of " << width << " x " << height);
    CHECK(x + length * std::cos(angle) < width);
    CHECK(y + length * std::sin(angle) < height);
    ++names;
  }
  CHECK(names == data.names.size());
}

TEST_CASE("names below the axis are slanted when two neighbours would touch") {
  const FigureConfig figure = some_figure("bars");
  FigureData data = some_data(figure);
  const auto slanted = [&](const std::vector<std::string>& names) {
    data.names = names;
    return gnuplot_script(figure, data).find("set xtics rotate by") != std::string::npos;
  };
  CHECK(slanted({"LN", "BN rms", "PN-V grouped", "PN grouped", "PN"}));
  CHECK_FALSE(slanted({"PN-V grouped", "LN", "PN grouped", "PN", "BN"}));  // as many letters, farther apart
  CHECK_FALSE(slanted({"PN-V grouped, seed 1", "PN grouped, seed 1"}));
  CHECK_FALSE(slanted({"PN"}));
}

TEST_CASE("without values nothing is drawn, and without gnuplot the reader is told") {
  const test::TemporaryFolder folder;
  const FigureConfig figure = some_figure("curves");
  CHECK(draw(figure, {}, folder / "figure.gnuplot").file == "");
  CHECK(folder.names().empty());
  const test::Path nowhere(folder.path().string());
  const Drawing drawing = draw(figure, some_data(figure), folder / "figure.gnuplot");
  CHECK(drawing.file == "");
  CHECK(drawing.trouble ==
        "the figure is not drawn: the program `gnuplot` is needed and not installed; on Debian and Ubuntu: apt-get "
        "install gnuplot-nox");
}

TEST_CASE("a long curve is thinned for the picture, its last point kept") {
  ObservedRun run = made_up::run({}, 1);
  for (std::int64_t step = 1; step <= 5001; ++step) run.quantities["loss"].push_back({step, "", 1});
  FigureConfig figure = some_figure("curves");
  figure.paper.clear();
  const std::string script = gnuplot_script(figure, gather(figure, {}, {run}));
  CHECK(std::count(script.begin(), script.end(), '\n') < 400);
  CHECK(script.find("\n5001 1 1 1\n") != std::string::npos);
}

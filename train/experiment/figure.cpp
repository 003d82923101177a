// Figures: see the header.
#include "figure.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "../files.h"

namespace normlab {
namespace {

namespace fs = std::filesystem;

constexpr std::array kColours = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"};

struct Point {
  double step, mean, low, high;
  std::size_t seeds;
};

// The points of a curve that are finite; where seeds diverged, those that did not.
std::vector<Point> points_of(const Curve& curve) {
  std::vector<Point> points;
  for (const auto& [step, values] : curve.points) {
    Point point{static_cast<double>(step), 0, INFINITY, -INFINITY, 0};
    for (const double value : values) {
      if (!std::isfinite(value)) continue;
      point.mean += value;
      point.low = std::min(point.low, value);
      point.high = std::max(point.high, value);
      ++point.seeds;
    }
    if (point.seeds == 0) continue;
    point.mean /= static_cast<double>(point.seeds);
    points.push_back(point);
  }
  return points;
}

std::string csv_of(const std::vector<Curve>& curves) {
  std::string out = "label,step,seeds,mean,low,high\n";
  for (const Curve& curve : curves) {
    for (const Point& p : points_of(curve)) {
      out += fmt::format("\"{}\",{},{},{},{},{}\n", curve.label, p.step, p.seeds, p.mean, p.low, p.high);
    }
  }
  return out;
}

// Text between single quotes of a gnuplot script, where a quote is doubled.
std::string quoted(const std::string& words) {
  std::string out = "'";
  for (const char c : words) {
    if (c == '\'') out += '\'';
    if (c != '\n') out += c;
  }
  return out + "'";
}

std::string gnuplot_script(const std::vector<Curve>& curves, const fs::path& svg, const FigureText& words) {
  std::string out = "set terminal svg size 760,460 dynamic enhanced font 'Helvetica,14' background '#ffffff'\n";
  out += "set encoding utf8\nset termoption noenhanced\n";
  out += fmt::format("set output {}\n", quoted(svg.string()));
  out += fmt::format("set title {} font ',15'\nset xlabel {}\nset ylabel {}\n", quoted(words.title), quoted(words.x),
                     quoted(words.y));
  out +=
      "set key outside bottom center horizontal maxrows 3\nset grid ytics lc rgb '#dddddd' lw 1\nset border 3\nset "
      "tics nomirror\n";
  out += "set style fill transparent solid 0.15 noborder\n";
  std::string plot;
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const auto points = points_of(curves[i]);
    if (points.empty()) continue;
    out += fmt::format("$curve{} << END\n", i);
    for (const Point& p : points) out += fmt::format("{} {} {} {}\n", p.step, p.mean, p.low, p.high);
    out += "END\n";
    const char* colour = kColours[i % kColours.size()];
    const auto dash = 1 + i / kColours.size();
    if (points.back().seeds > 1) {
      plot += fmt::format("{}$curve{} using 1:3:4 with filledcurves lc rgb '{}' notitle", plot.empty() ? "" : ", ", i,
                          colour);
    }
    plot += fmt::format("{}$curve{} using 1:2 with linespoints lw 2 dt {} pt {} ps 0.5 lc rgb '{}' title {}",
                        plot.empty() ? "" : ", ", i, dash, 4 + i % 8, colour, quoted(curves[i].label));
  }
  if (plot.empty()) return "";
  return out + "plot " + plot + "\n";
}

}  // namespace

bool draw_curves(const std::vector<Curve>& curves, const fs::path& path, const FigureText& words) {
  require_writable_directory(path.parent_path());
  fs::path csv = path, svg = path;
  csv += ".csv";
  svg += ".svg";
  write_file(csv, csv_of(curves));
  const std::string script = gnuplot_script(curves, svg, words);
  if (script.empty()) return false;
  FILE* gnuplot = popen("gnuplot 2>/dev/null", "w");
  if (!gnuplot) return false;
  std::fwrite(script.data(), 1, script.size(), gnuplot);
  const int status = pclose(gnuplot);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace normlab

// A gnuplot script for each kind of figure, and what is made of the SVG that gnuplot writes.
#include "drawing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "../../engine/error.h"
#include "../files.h"
#include "../process.h"
#include "html.h"

namespace normlab {
namespace {

constexpr int kWidth = 560, kHeight = 360;  // without the key above the plot
constexpr int kKeyRow = 20, kLetter = 8;    // of the key: the height of a row, the width of a letter
constexpr int kSlant = 40;                  // degrees by which names below the axis are turned where they do not fit
constexpr std::size_t kMostPoints = 300;    // of a curve that are drawn; the CSV has them all

// Roles of colours: on a page each becomes a variable of its style, in a file the colour itself.
struct Colour {
  const char* role;
  int red, green, blue;
};
constexpr std::array kSeries = {
    Colour{"--series-0", 0, 114, 178},   Colour{"--series-1", 213, 94, 0},  Colour{"--series-2", 0, 158, 115},
    Colour{"--series-3", 204, 121, 167}, Colour{"--series-4", 230, 159, 0}, Colour{"--series-5", 86, 180, 233},
    Colour{"--series-6", 90, 90, 90},
};
constexpr Colour kInk{"--ink", 34, 34, 33}, kRule{"--rule", 120, 120, 119}, kGrid{"--grid", 226, 226, 225},
    kPaper{"--paper", 255, 255, 255};
constexpr std::array kFilled = {7, 5, 9, 13, 11, 15, 3}, kHollow = {6, 4, 8, 12, 10, 14, 2};  // gnuplot's point types

std::string rgb(const Colour& colour) {
  return fmt::format("rgb '#{:02x}{:02x}{:02x}'", colour.red, colour.green, colour.blue);
}
std::string rgb_of(std::size_t series) { return rgb(kSeries[series % kSeries.size()]); }
std::size_t dash_of(std::size_t series) { return 1 + series / kSeries.size() % 5; }

// Text between single quotes of a gnuplot script, where a quote is doubled.
std::string quoted(const std::string& words) {
  std::string out = "'";
  for (const char c : words) {
    if (c == '\'') out += '\'';
    out += c == '\n' ? ' ' : c;
  }
  return out + "'";
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

// --- the script ------------------------------------------------------------------------------------------------------

// The parts of a plot: data blocks, and what is drawn from them.
class Plot {
 public:
  // Adds a block of lines of numbers; gives back its name.
  std::string block(const std::vector<std::vector<double>>& lines) {
    const std::string name = fmt::format("$data{}", blocks_++);
    data_ += name + " << END\n";
    for (const auto& line : lines) data_ += fmt::format("{}\n", fmt::join(line, " "));
    data_ += "END\n";
    return name;
  }
  void draw(const std::string& what) { plot_ += (plot_.empty() ? "plot " : ", \\\n     ") + what; }
  bool empty() const { return plot_.empty(); }
  std::string text() const { return data_ + plot_ + "\n"; }

 private:
  int blocks_ = 0;
  std::string data_, plot_;
};

using Lines = std::vector<std::vector<double>>;

// Every k-th of the points of a long curve, and its last.
std::vector<FigurePoint> thinned(const std::vector<FigurePoint>& points) {
  const std::size_t step = (points.size() + kMostPoints - 1) / kMostPoints;
  std::vector<FigurePoint> kept;
  for (std::size_t i = 0; i < points.size(); i += std::max<std::size_t>(1, step)) kept.push_back(points[i]);
  if (!points.empty() && kept.back().x != points.back().x) kept.push_back(points.back());
  return kept;
}

void curves(const FigureConfig& figure, const FigureData& data, Plot& plot) {
  for (std::size_t i = 0; i < data.series.size(); ++i) {
    Lines lines;
    bool band = false;
    for (const FigurePoint& point : thinned(data.series[i].points)) {
      const Summary s = summarize(figure, point);
      lines.push_back({point.x, s.mean, s.low, s.high});
      band = band || s.high > s.low;
    }
    const std::string block = plot.block(lines);
    if (band)
      plot.draw(
          fmt::format("{} using 1:3:4 with filledcurves fs transparent solid 0.15 lc {} notitle", block, rgb_of(i)));
    const bool marks = lines.size() <= 20;
    plot.draw(fmt::format("{} using 1:2 with {} lw 2.5 dt {} lc {} title {}", block,
                          marks ? fmt::format("linespoints pt {} ps 0.6", kFilled[i % kFilled.size()]) : "lines",
                          dash_of(i), rgb_of(i), quoted(data.series[i].label)));
  }
}

// Where the bar, the point or the box of a series stands at a place, and half its width.
struct Slot {
  double middle, half;
};
Slot slot_of(double x, std::size_t series, std::size_t count) {
  const double width = 0.8 / static_cast<double>(count);
  return {x - 0.4 + width * (static_cast<double>(series) + 0.5), 0.46 * width};
}

void bars(const FigureConfig& figure, const FigureData& data, Plot& plot) {
  for (std::size_t i = 0; i < data.series.size(); ++i) {
    Lines lines;
    for (const FigurePoint& point : data.series[i].points) {
      const Slot slot = slot_of(point.x, i, data.series.size());
      const Summary s = summarize(figure, point);
      lines.push_back({slot.middle, s.mean, slot.middle - slot.half, slot.middle + slot.half, s.low, s.high});
    }
    const std::string block = plot.block(lines);
    plot.draw(fmt::format("{} using 1:2:3:4:(bottom):2 with boxxyerror fs solid 0.85 noborder lc {} title {}", block,
                          rgb_of(i), quoted(data.series[i].label)));
    plot.draw(fmt::format("{} using 1:5:(0):($6-$5) with vectors nohead lw 1.5 lc {} notitle", block, rgb(kInk)));
  }
}

void dots(const FigureConfig& figure, const FigureData& data, Plot& plot) {
  for (std::size_t i = 0; i < data.series.size(); ++i) {
    Lines means, seeds;
    for (const FigurePoint& point : data.series[i].points) {
      const Slot slot = slot_of(point.x, i, data.series.size());
      const Summary s = summarize(figure, point);
      means.push_back({slot.middle, s.mean, s.low, s.high});
      for (const double value : point.values) seeds.push_back({slot.middle + 0.5 * slot.half, value});
    }
    const std::string block = plot.block(means), colour = rgb_of(i);
    plot.draw(fmt::format("{} with points pt {} ps 0.35 lw 1 lc {} notitle", plot.block(seeds), kHollow[0], colour));
    plot.draw(fmt::format("{} using 1:3:(0):($4-$3) with vectors nohead lw 1.5 lc {} notitle", block, colour));
    plot.draw(fmt::format("{} using 1:2 with points pt {} ps 0.9 lc {} title {}", block, kFilled[i % kFilled.size()],
                          colour, quoted(data.series[i].label)));
  }
}

void boxes(const FigureData& data, Plot& plot) {
  for (std::size_t i = 0; i < data.series.size(); ++i) {
    Lines lines, outliers;
    for (const FigurePoint& point : data.series[i].points) {
      const Slot slot = slot_of(point.x, i, data.series.size());
      const Box b = box_of(point.values);
      lines.push_back({slot.middle, b.median, slot.middle - 0.8 * slot.half, slot.middle + 0.8 * slot.half,
                       b.quartile_1, b.quartile_3, b.low, b.high});
      const std::size_t step = b.outliers.size() / kMostPoints + 1;
      for (std::size_t k = 0; k < b.outliers.size(); k += step) outliers.push_back({slot.middle, b.outliers[k]});
      if (step > 1) outliers.push_back({slot.middle, b.outliers.back()});
    }
    const std::string block = plot.block(lines), colour = rgb_of(i);
    plot.draw(fmt::format("{} using 1:7:(0):($8-$7) with vectors nohead lw 1.5 lc {} notitle", block, colour));
    plot.draw(
        fmt::format("{} using 1:2:3:4:5:6 with boxxyerror fs solid 1 noborder lc {} notitle", block, rgb(kPaper)));
    plot.draw(fmt::format("{} using 1:2:3:4:5:6 with boxxyerror fs transparent solid 0.35 noborder lc {} title {}",
                          block, colour, quoted(data.series[i].label)));
    plot.draw(fmt::format("{} using 1:2:3:4:5:6 with boxxyerror fs empty lc {} lw 1.5 notitle", block, colour));
    plot.draw(fmt::format("{} using 3:2:($4-$3):(0) with vectors nohead lw 2.5 lc {} notitle", block, colour));
    if (outliers.empty()) continue;
    plot.draw(fmt::format("{} with points pt {} ps 0.35 lw 1 lc {} notitle", plot.block(outliers), kHollow[0], colour));
  }
}

// The paper's values: hollow marks, over the bar or box of the series that they belong to; along curves dashes join
// them.
void papers(const FigureConfig& figure, const FigureData& data, Plot& plot) {
  for (std::size_t i = 0; i < data.paper.size(); ++i) {
    const FigureSeries& paper = data.paper[i];
    if (paper.points.empty()) continue;
    const bool known = paper.like >= 0;
    const auto like = known ? static_cast<std::size_t>(paper.like) : i;
    Lines lines;
    for (const FigurePoint& point : paper.points) {
      const bool in_slot = known && figure.kind != "curves";
      lines.push_back({in_slot ? slot_of(point.x, like, data.series.size()).middle : point.x, point.values[0]});
    }
    const std::string block = plot.block(lines);
    const std::string colour = known && figure.kind == "curves" ? rgb_of(like) : rgb(kInk);
    if (figure.kind == "curves") plot.draw(fmt::format("{} with lines lw 1 dt '.' lc {} notitle", block, colour));
    plot.draw(fmt::format("{} with points pt {} ps 1 lw 2 lc {} title {}", block, kHollow[3 - 2 * (i % 2)], colour,
                          quoted(paper.label)));
  }
}

// The lowest end of bars: 0, or on a logarithmic axis the power of ten below all values.
double bottom_of(const FigureConfig& figure, const FigureData& data) {
  double least = INFINITY;
  for (const auto* list : {&data.series, &data.paper}) {
    for (const FigureSeries& series : *list) {
      for (const FigurePoint& point : series.points) {
        for (const double value : point.values) least = std::min(least, value);
      }
    }
  }
  if (!figure.log_y) return 0;
  return least > 0 && std::isfinite(least) ? std::pow(10, std::floor(std::log10(least))) : 1e-3;
}

// Names below the axis: level where they fit, else slanted down to the right. Slanted ones want room, in pixels: below,
// which is added to the height, and beside the last, which the plot gives up.
struct Names {
  std::string commands;
  int below = 0, beside = 0;
};
Names names_of_places(const std::vector<std::string>& names) {
  const std::size_t place = (kWidth - 100) / std::max<std::size_t>(1, names.size());  // pixels from one to the next
  std::size_t longest = 0;
  bool slanted = false;
  std::string list;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) slanted = slanted || (kLetter + 1) * (names[i - 1].size() + names[i].size()) / 2 + 6 > place;
    longest = std::max(longest, names[i].size());
    std::string name = quoted(names[i]);
    replace_all(name, "%", "%%");  // in these labels gnuplot reads % as a format
    list += fmt::format("{}{} {}", i == 0 ? "" : ", ", name, i);
  }
  Names out;
  out.commands = fmt::format("set xtics {} ({})\n", slanted ? fmt::format("rotate by -{}", kSlant) : "norotate", list);
  if (slanted) {
    const double angle = kSlant * std::numbers::pi / 180;
    out.below = static_cast<int>(kLetter * static_cast<double>(longest) * std::sin(angle));
    out.beside = static_cast<int>(kLetter * static_cast<double>(names.back().size()) * std::cos(angle));
  }
  return out;
}

struct KeySize {
  int longest, columns, rows;  // letters of the longest entry
};

// As many columns as gnuplot finds room for above the plot: it leaves 90 pixels for the margins and takes 50 more for
// an entry than its letters, each a little wider than kLetter. With fewer than it asks for, rows would be missing.
KeySize key_size(const FigureData& data) {
  int entries = 0, longest = 1;
  for (const auto* list : {&data.series, &data.paper}) {
    for (const FigureSeries& series : *list) longest = std::max(longest, static_cast<int>(series.label.size()));
    entries += static_cast<int>(list->size());
  }
  const int columns = std::max(1, (kWidth - 90) / ((kLetter + 1) * longest + 50));
  return {longest, columns, (entries + columns - 1) / columns};
}

std::string default_x_label(const FigureConfig& figure) {
  if (figure.x == "step") return figure.kind == "boxes" ? "share of the run" : "step";
  if (figure.x == "site") return "layer";
  const std::string name = figure.x.substr(figure.x.rfind('.') + 1);
  return name.find_first_not_of("0123456789") == std::string::npos ? "" : name;
}

}  // namespace

std::string gnuplot_script(const FigureConfig& figure, const FigureData& data) {
  Plot plot;
  if (figure.kind == "curves") curves(figure, data, plot);
  if (figure.kind == "bars") bars(figure, data, plot);
  if (figure.kind == "points") dots(figure, data, plot);
  if (figure.kind == "boxes") boxes(data, plot);
  if (plot.empty()) return "";
  papers(figure, data, plot);

  const KeySize key = key_size(data);
  const std::string tics_style = "nomirror scale 0.4 textcolor " + rgb(kInk);
  const Names names = names_of_places(data.names);
  std::string out = fmt::format("set terminal svg size {},{} font 'sans-serif,16' noenhanced background {}\n", kWidth,
                                kHeight + kKeyRow * key.rows + names.below, rgb(kPaper));
  out += "set encoding utf8\n";
  out += fmt::format("set border 3 lw 1 lc {}\nset xtics {}\nset ytics {}\n", rgb(kRule), tics_style, tics_style);
  out += fmt::format("set grid {} dt solid lw 1 lc {}\n", data.names.empty() ? "xtics ytics" : "ytics", rgb(kGrid));
  out += fmt::format("set xlabel {} textcolor {}\n",
                     quoted(figure.x_label.empty() ? default_x_label(figure) : figure.x_label), rgb(kInk));
  out += fmt::format("set ylabel {} textcolor {} offset 0.5\n",
                     quoted(figure.y_label.empty() ? in_words(figure.quantity) : figure.y_label), rgb(kInk));
  out += fmt::format(
      "set key tmargin left horizontal Left reverse samplen 2 width -{} maxcols {} font ',15' textcolor {}\n",
      key.longest / 6, key.columns, rgb(kInk));
  out += "set format '%g'\nset style fill noborder\nset rmargin 3\n";
  if (names.beside > 0) out += fmt::format("set rmargin at screen {:.3f}\n", 1 - names.beside / double{kWidth});
  if (figure.log_x && data.names.empty()) out += "set logscale x\n";
  if (figure.log_y) out += "set logscale y\n";
  if (!data.names.empty()) {
    out += fmt::format("set xrange [-0.6:{}]\n", static_cast<double>(data.names.size()) - 0.4) + names.commands;
  }
  if (figure.kind == "bars") {
    const double bottom = bottom_of(figure, data);
    out += fmt::format("bottom = {}\nset yrange [{}:*]\n", bottom, figure.log_y ? fmt::format("{}", bottom) : "*<0");
  }
  return out + plot.text();
}

// --- the SVG ---------------------------------------------------------------------------------------------------------

namespace {

// Takes away everything from each `begin` to the next `end`, both included.
void remove_all(std::string& text, const std::string& begin, const std::string& end) {
  for (std::size_t at = 0; (at = text.find(begin, at)) != std::string::npos;) {
    const std::size_t stop = text.find(end, at + begin.size());
    if (stop == std::string::npos) return;
    text.erase(at, stop + end.size() - at);
  }
}

// Every "rgb(r, g, b)" of a known role becomes the variable of that role.
std::string with_roles(const std::string& svg) {
  std::string out;
  std::size_t done = 0;
  for (std::size_t at; (at = svg.find("rgb(", done)) != std::string::npos;) {
    const std::size_t end = svg.find(')', at) + 1;
    int red = -1, green = -1, blue = -1;
    std::sscanf(svg.c_str() + at, "rgb( %d , %d , %d )", &red, &green, &blue);
    std::string colour = svg.substr(at, end - at);
    const auto take = [&](const Colour& known) {
      if (known.red == red && known.green == green && known.blue == blue) colour = fmt::format("var({})", known.role);
    };
    for (const Colour& known : kSeries) take(known);
    for (const Colour& known : {kInk, kRule, kGrid, kPaper}) take(known);
    out += svg.substr(done, at - done) + colour;
    done = end;
  }
  return out + svg.substr(done);
}

// gnuplot's SVG without its own title, its names for the parts and the groups that only set a pen and draw nothing.
std::string cleaned(std::string svg) {
  remove_all(svg, "<title>", "</title>\n");
  remove_all(svg, "<desc>", "</desc>\n");
  remove_all(svg, "\t<filter", "</filter>\n");
  for (const char* pen : {"white", "black", "gray"}) {
    replace_all(svg,
                fmt::format("<g fill=\"none\" color=\"{}\" stroke=\"currentColor\" stroke-width=\"1.00\" "
                            "stroke-linecap=\"butt\" stroke-linejoin=\"miter\">\n</g>\n",
                            pen),
                "");
  }
  return svg;
}

// The same as an element of a page: names differ from figure to figure, and ink, font and ground are the page's.
std::string on_page(std::string svg, const std::string& name, const std::string& title) {
  const std::size_t box = svg.find("viewBox=\""), open = svg.find('>', box) + 1;
  check(box != std::string::npos && open != 0, "gnuplot: wrote no SVG");
  const std::string view = svg.substr(box, svg.find('"', box + 9) + 1 - box);
  svg.erase(0, open);
  remove_all(svg, "<rect x=\"0\" y=\"0\" width=\"560\"", "/>\n");
  for (const std::string quote : {"'", "\""}) {
    replace_all(svg, "id=" + quote + "gnuplot", "id=" + quote + name + "-gnuplot");
    replace_all(svg, "id=" + quote + "gp", "id=" + quote + name + "-gp");
    replace_all(svg, "href=" + quote + "#gp", "href=" + quote + "#" + name + "-gp");
  }
  replace_all(svg, "xlink:href=", "href=");
  replace_all(svg, " color=\"black\"", "");
  replace_all(svg, "stroke=\"black\"", "stroke=\"currentColor\"");
  replace_all(svg, " font-family=\"sans-serif\"", "");
  return fmt::format("<svg class=\"plot\" {} role=\"img\" aria-label=\"{}\">", view, title) + with_roles(svg);
}

}  // namespace

Drawing draw(const FigureConfig& figure, const FigureData& data, const std::filesystem::path& script) {
  Drawing drawing;
  const std::string commands = gnuplot_script(figure, data);
  if (commands.empty()) return drawing;
  write_file(script, commands);
  Outcome outcome;
  try {
    outcome = run_programs({{"gnuplot", "-d", script.string()}});
  } catch (const MachineError& error) {
    drawing.trouble = text("the figure is not drawn: ", error.what());
    return drawing;
  }
  if (outcome.status != 0) {
    drawing.trouble = text("gnuplot could not draw the figure: ", outcome.error.substr(0, 300));
    return drawing;
  }
  const std::string title = escaped(figure.title.empty() ? figure.name : figure.title);
  const std::string svg = cleaned(outcome.out);
  drawing.on_page = on_page(svg, figure.name, title);
  drawing.file = svg;
  replace_all(drawing.file, "<g id=\"gnuplot_canvas\">", "<title>" + title + "</title>\n<g id=\"gnuplot_canvas\">");
  return drawing;
}

}  // namespace normlab

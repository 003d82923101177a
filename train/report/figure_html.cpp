// A caption, the drawing, how it was drawn, and the numbers behind it.
#include "figure_html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "../files.h"
#include "drawing.h"
#include "figure_data.h"
#include "html.h"

namespace normlab {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLines = 100;  // of the numbers on the page; the CSV file has them all

std::string how_drawn(const FigureConfig& figure) {
  if (figure.kind == "boxes") {
    return "Boxes: quartiles and median; whiskers: the outermost values within 1.5 times the box; circles: beyond.";
  }
  const std::string mean = figure.log_y ? "Geometric mean" : "Mean";
  if (figure.kind == "curves") return mean + " over seeds; the bands span them.";
  return mean + " over seeds with its 95 % interval." + (figure.kind == "points" ? " Small circles: each seed." : "");
}

std::string table_of_csv(const std::string& csv) {
  std::string rows;
  std::size_t count = 0, begin = 0;
  for (std::size_t end; (end = csv.find('\n', begin)) != std::string::npos; begin = end + 1, ++count) {
    if (count <= kMostLines) rows += csv.substr(begin, end - begin + 1);
  }
  const std::string more =
      count <= kMostLines + 1 ? "" : fmt::format("<p class=\"small soft\">The first {} lines.</p>\n", kMostLines);
  return fmt::format("<pre>{}</pre>\n{}", escaped(rows), more);
}

std::string figure_html(const FigureConfig& figure, const FigureData& data, const fs::path& folder) {
  const fs::path path = folder / "figures" / figure.name;
  const std::string csv = figure_csv(figure, data), base = "figures/" + escaped(figure.name);
  write_file(path.string() + ".csv", csv);
  const Drawing drawing = draw(figure, data, path.string() + ".gnuplot");
  if (drawing.file.empty()) {
    fs::remove(path.string() + ".svg");  // an earlier one would stand beside other numbers
  } else {
    write_file(path.string() + ".svg", drawing.file);
  }

  std::string words = data.series.empty() ? "" : how_drawn(figure);
  if (!data.paper.empty() && !data.series.empty()) words += " Hollow marks: the paper.";
  const auto sentence = [&](std::string more) {
    if (more.empty()) return;
    more.front() = static_cast<char>(std::toupper(more.front()));
    if (!words.empty()) words += ' ';
    words += more + ".";
  };
  sentence(data.note);
  sentence(drawing.trouble);
  std::string out = "<figure>\n<figcaption>\n";
  out += fmt::format("<h3>{}</h3>\n", escaped(figure.title.empty() ? figure.name : figure.title));
  if (!figure.source.empty()) out += fmt::format("<p class=\"source\">Like {}</p>\n", escaped(figure.source));
  out += "</figcaption>\n" + drawing.on_page;
  out += fmt::format("<p class=\"small soft\">{}", escaped(words));
  out += fmt::format(" <span class=\"figure-files\"><a href=\"{}.csv\">CSV</a>{}</span></p>\n", base,
                     drawing.file.empty() ? "" : fmt::format(" · <a href=\"{}.svg\">SVG</a>", base));
  if (!data.series.empty()) {
    out += fmt::format("<details{}><summary>The numbers</summary>\n{}</details>\n", drawing.file.empty() ? " open" : "",
                       table_of_csv(csv));
  }
  return out + "</figure>\n";
}

}  // namespace

std::string figures_html(const Experiment& experiment, const std::vector<ObservedRun>& runs, const fs::path& folder) {
  const bool validated =
      std::any_of(runs.begin(), runs.end(), [](const ObservedRun& run) { return !run.of("valid_nll").empty(); });
  std::vector<FigureConfig> wanted = experiment.figures;
  if (wanted.empty() && validated) wanted.push_back(validation_figure());
  const std::vector<Axis> axes = experiment.sweep ? experiment.sweep->axes : std::vector<Axis>();
  std::string out;
  if (!wanted.empty()) require_writable_directory(folder / "figures");
  for (const FigureConfig& figure : wanted) out += figure_html(figure, gather(figure, axes, runs), folder);
  return out.empty() ? "" : "<div class=\"figures\">\n" + out + "</div>\n";
}

}  // namespace normlab

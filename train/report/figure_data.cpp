// Series, places and summaries of a figure.
#include "figure_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "../../engine/error.h"
#include "../csv.h"
#include "../experiment/names.h"
#include "../experiment/operand.h"
#include "../experiment/statistics.h"
#include "../glob.h"

namespace normlab {
namespace {

constexpr int kWindows = 5;  // of boxes over steps, as in the PowerNorm paper's figures

std::optional<double> as_number(const std::string& word) {
  std::size_t end = 0;
  try {
    const double value = std::stod(word, &end);
    if (end == word.size() && std::isfinite(value)) return value;
  } catch (const std::exception&) {
  }
  return std::nullopt;
}

// "rate=0.001" -> "0.001", where all the arms of the axis say "rate="; else the whole name.
std::string value_of(const std::string& arm, const std::vector<std::string>& arms) {
  const std::string head = arm.substr(0, arm.rfind('=') + 1);
  const bool common =
      std::all_of(arms.begin(), arms.end(), [&](const auto& other) { return other.rfind(head, 0) == 0; });
  return common ? arm.substr(head.size()) : arm;
}

template <class T>
void add_once(std::vector<T>& list, const T& item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}

// What the sites are called in the figure: by the numbers of their layers where these tell them apart.
std::map<std::string, std::string> site_names(const std::vector<std::string>& sites) {
  std::set<int> layers;
  for (const std::string& site : sites) layers.insert(layer_of(site));
  const bool apart = layers.size() == sites.size() && layers.count(0) == 0;
  std::map<std::string, std::string> names;
  for (const std::string& site : sites) names[site] = apart ? text(layer_of(site)) : site.empty() ? "model" : site;
  return names;
}

struct Gathering {
  const FigureConfig& figure;
  std::vector<const ObservedRun*> runs{};        // that take part
  std::vector<std::vector<std::string>> arms{};  // of each axis, those that take part
  std::vector<std::string> sites{};
  std::map<std::string, std::string> site_names{};
  bool several_sites = false;  // in one run; where each run has one of its own they are no series
  int x_axis = -1;
  std::int64_t last_step = 1;
};

Gathering begin(const FigureConfig& figure, const std::vector<Axis>& axes, const std::vector<ObservedRun>& runs) {
  Gathering g{figure};
  for (const Axis& axis : axes) g.arms.push_back(arms_of(axis, figure.arms));
  if (figure.x != "step" && figure.x != "site") g.x_axis = axis_named(figure.x, axes);
  for (const ObservedRun& run : runs) {
    bool takes_part = true;
    for (std::size_t i = 0; i < run.arms.size(); ++i) {
      takes_part = takes_part && std::find(g.arms[i].begin(), g.arms[i].end(), run.arms[i]) != g.arms[i].end();
    }
    if (takes_part) g.runs.push_back(&run);
  }
  for (const ObservedRun* run : g.runs) {
    std::vector<std::string> sites;
    for (const Observation& seen : run->of(figure.quantity)) {
      g.last_step = std::max(g.last_step, seen.step);
      if (glob_match(figure.sites, seen.site)) add_once(sites, seen.site);
    }
    g.several_sites = g.several_sites || sites.size() > 1;
    for (const std::string& site : sites) add_once(g.sites, site);
  }
  g.site_names = site_names(g.sites);
  return g;
}

// The arms of the axes that differ between series, and the site where that does.
std::string label_of(const Gathering& g, const ObservedRun& run, const std::string& site) {
  std::string label;
  const auto add = [&](const std::string& word) { label += (label.empty() ? "" : ", ") + word; };
  for (std::size_t i = 0; i < run.arms.size(); ++i) {
    if (static_cast<int>(i) != g.x_axis && g.arms[i].size() > 1) add(run.arms[i]);
  }
  if (g.figure.x != "site" && g.several_sites) add(g.site_names.at(site));
  return label.empty() ? g.figure.quantity : label;
}

// The place of an observation on the x axis, by name.
std::string place_of(const Gathering& g, const ObservedRun& run, const Observation& seen) {
  if (g.figure.x == "site") return g.site_names.at(seen.site);
  if (const auto axis = static_cast<std::size_t>(g.x_axis); g.x_axis >= 0)
    return value_of(run.arms[axis], g.arms[axis]);
  if (g.figure.kind != "boxes") return std::to_string(seen.step);
  const std::int64_t window = std::min<std::int64_t>(kWindows - 1, seen.step * kWindows / (g.last_step + 1));
  return fmt::format("{} %", 100 / kWindows * (window + 1));
}

// The observations of a run that the figure shows: all, or where x is not the step those at one step for each site.
std::vector<Observation> shown(const Gathering& g, const ObservedRun& run) {
  std::vector<Observation> all;
  for (const Observation& seen : run.of(g.figure.quantity)) {
    if (glob_match(g.figure.sites, seen.site)) all.push_back(seen);
  }
  if (g.figure.x == "step" || g.figure.kind == "boxes") return all;
  std::vector<Observation> chosen;
  for (const Observation& seen : all) {
    const auto same = [&](const Observation& other) { return other.site == seen.site; };
    const auto found = std::find_if(chosen.begin(), chosen.end(), same);
    if (g.figure.at != "last" && g.figure.at != "first" && std::to_string(seen.step) != g.figure.at) continue;
    if (found == chosen.end()) {
      chosen.push_back(seen);
    } else if (g.figure.at != "first") {
      *found = seen;
    }
  }
  return chosen;
}

using Places = std::map<std::string, std::vector<double>>;      // by place, the values
using AllSeries = std::vector<std::pair<std::string, Places>>;  // by label, in order of appearance

Places& series_of(AllSeries& all, const std::string& label) {
  for (auto& [name, places] : all) {
    if (name == label) return places;
  }
  return all.emplace_back(label, Places()).second;
}

// Numbers stand at their values along a curve, and in their order among bars; names in order of appearance.
class Ruler {
 public:
  Ruler(const FigureConfig& figure, std::vector<std::string> places) : places_(std::move(places)) {
    const auto numeric = [](const std::string& place) { return as_number(place).has_value(); };
    const bool numbers = std::all_of(places_.begin(), places_.end(), numeric);
    if (numbers) {
      std::sort(places_.begin(), places_.end(),
                [](const std::string& a, const std::string& b) { return *as_number(a) < *as_number(b); });
    }
    named_ = figure.kind != "curves" || !numbers;
  }

  std::vector<std::string> names() const { return named_ ? places_ : std::vector<std::string>(); }
  std::optional<double> at(const std::string& place) const {
    if (!named_) return as_number(place);
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if (places_[i] == place || (as_number(place) && as_number(places_[i]) == as_number(place))) {
        return static_cast<double>(i);
      }
    }
    return std::nullopt;
  }

 private:
  std::vector<std::string> places_;
  bool named_;
};

void sort_points(FigureSeries& series) {
  std::sort(series.points.begin(), series.points.end(),
            [](const FigurePoint& a, const FigurePoint& b) { return a.x < b.x; });
}

FigureSeries series_of_paper(const PaperValues& paper, const Ruler& ruler, const std::vector<FigureSeries>& ours) {
  FigureSeries series{paper.label, {}, -1};
  std::size_t longest = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const std::string& label = ours[i].label;
    if (paper.label.rfind(label, 0) != 0 || label.size() < longest) continue;
    series.like = static_cast<int>(i);
    longest = label.size();
  }
  for (std::size_t i = 0; i < paper.y.size(); ++i) {
    const auto x = ruler.at(paper.names.empty() ? fmt::format("{}", paper.x[i]) : paper.names[i]);
    if (x) series.points.push_back({*x, {paper.y[i]}});
  }
  sort_points(series);
  return series;
}

}  // namespace

FigureData gather(const FigureConfig& figure, const std::vector<Axis>& axes, const std::vector<ObservedRun>& runs) {
  const Gathering g = begin(figure, axes, runs);
  FigureData data;
  AllSeries all;
  std::vector<std::string> places;  // in order of appearance
  std::set<std::string> known_places;
  std::set<const ObservedRun*> with_left_out;
  for (const ObservedRun* run : g.runs) {
    for (const Observation& seen : shown(g, *run)) {
      const bool fits = std::isfinite(seen.value) && (!figure.log_y || seen.value > 0);
      if (!fits) with_left_out.insert(run);
      if (!fits) continue;
      const std::string place = place_of(g, *run, seen);
      if (known_places.insert(place).second) places.push_back(place);
      series_of(all, label_of(g, *run, seen.site))[place].push_back(seen.value);
    }
  }
  const Ruler ruler(figure, places);
  data.names = ruler.names();
  for (const auto& [label, values] : all) {
    FigureSeries series{label, {}, -1};
    for (const auto& [place, list] : values) series.points.push_back({*ruler.at(place), list});
    sort_points(series);
    data.series.push_back(std::move(series));
  }
  for (const PaperValues& paper : figure.paper) data.paper.push_back(series_of_paper(paper, ruler, data.series));
  if (data.series.empty()) {
    data.note = text("no run has values of ", figure.quantity, " yet",
                     figure.sites == "*" ? "" : text(" at sites like ", figure.sites));
  }
  if (!with_left_out.empty()) {
    data.note +=
        text(data.note.empty() ? "" : "; ", with_left_out.size(), " of ", g.runs.size(), " runs have values that ",
             figure.log_y ? "are not finite or not positive" : "are not finite", "; these are left out");
  }
  return data;
}

Summary summarize(const FigureConfig& figure, const FigurePoint& point) {
  std::vector<double> values = point.values;
  if (figure.log_y) {
    for (double& value : values) value = std::log(value);
  }
  const Interval interval = mean_interval(values);
  Summary summary{interval.mean, interval.mean, interval.mean};
  if (figure.kind == "curves") {
    summary.low = *std::min_element(values.begin(), values.end());
    summary.high = *std::max_element(values.begin(), values.end());
  } else if (std::isfinite(interval.half_width)) {
    summary.low -= interval.half_width;
    summary.high += interval.half_width;
  }
  if (figure.log_y) summary = {std::exp(summary.mean), std::exp(summary.low), std::exp(summary.high)};
  return summary;
}

Box box_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  Box box{0, quantile(values, 0.25), quantile(values, 0.5), quantile(values, 0.75), 0, {}};
  const double reach = 1.5 * (box.quartile_3 - box.quartile_1);
  box.low = box.quartile_1;
  box.high = box.quartile_3;
  for (const double value : values) {
    if (value < box.quartile_1 - reach || value > box.quartile_3 + reach) {
      box.outliers.push_back(value);
    } else {
      box.low = std::min(box.low, value);
      box.high = std::max(box.high, value);
    }
  }
  return box;
}

std::string figure_csv(const FigureConfig& figure, const FigureData& data) {
  const bool boxes = figure.kind == "boxes";
  std::string out =
      boxes ? "series,x,values,low,quartile_1,median,quartile_3,high,outliers\n" : "series,x,seeds,mean,low,high\n";
  const auto place = [&](const FigurePoint& point) {
    return data.names.empty() ? fmt::format("{}", point.x) : csv_cell(data.names[static_cast<std::size_t>(point.x)]);
  };
  for (const FigureSeries& series : data.series) {
    for (const FigurePoint& point : series.points) {
      out += fmt::format("{},{},{},", csv_cell(series.label), place(point), point.values.size());
      if (boxes) {
        const Box b = box_of(point.values);
        out +=
            fmt::format("{},{},{},{},{},{}\n", b.low, b.quartile_1, b.median, b.quartile_3, b.high, b.outliers.size());
      } else {
        const Summary s = summarize(figure, point);
        out += fmt::format("{},{},{}\n", s.mean, s.low, s.high);
      }
    }
  }
  for (const FigureSeries& paper : data.paper) {
    for (const FigurePoint& point : paper.points) {
      const char* before = boxes ? ",,," : ",";
      const char* after = boxes ? ",,," : ",,";
      out += fmt::format("{},{},{}{}{}\n", csv_cell(paper.label), place(point), before, point.values[0], after);
    }
  }
  return out;
}

}  // namespace normlab

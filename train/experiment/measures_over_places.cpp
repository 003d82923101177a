// The measures that have a number for each of several places, layers or arms of an axis: a line through them, a curve
// beside them, how far apart they lie, where two of them agree. One struct each.
#include <algorithm>
#include <cmath>
#include <limits>

#include "measure_fields.h"

namespace normlab {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

void over_field(Fields& f, std::string& over) {
  f.string("over", over, "\"sites\", layer by layer, or an axis of the sweep: its path, its last part, or its number");
}

// See slope_of().
struct Slope : MeasureOptions {
  Operand of;
  std::string over = kOverSites;
  LineAxes axes = LineAxes::log_log;

  void fields(Fields& f) override {
    operand_field(f, "of", of, "y");
    over_field(f, over);
    choice<LineAxes>(
        f, "axes", axes,
        {{LineAxes::linear, "linear"}, {LineAxes::semi_log, "semi_log"}, {LineAxes::log_log, "log_log"}},
        "which are logarithms: semi_log gives the factor by which y grows when x grows by 1, log_log the power "
        "of x that y follows");
  }
  std::string words() const override {
    const char* kind = axes == LineAxes::linear     ? "slope"
                       : axes == LineAxes::semi_log ? "factor per unit"
                                                    : "log-log slope";
    return text(kind, " of ", words_of(of), " over ", words_of_axis(over));
  }
  std::vector<Use> uses() const override { return {{"of", &of, over, true}}; }
  Scale scale() const override { return axes == LineAxes::semi_log ? Scale::logarithmic : Scale::linear; }
  std::vector<Sample> samples(const ObservedExperiment& experiment) const override {
    Sample sample;
    for (const auto& [seed, row] : points(of, over, experiment)) {
      if (row.size() < 2 && !(row.size() == 1 && std::isnan(row[0].y))) {
        throw Unmeasured(text("a slope needs at least two points, ", words_of(of), " has ", row.size()));
      }
      sample.by_seed[seed] = slope_of(row, axes);
    }
    return {sample};
  }
};

// See deviation_of(): 0 when the points lie on the curve.
struct Fit : MeasureOptions {
  Operand of, to;
  std::vector<double> x, y;
  std::string over = kOverSites;
  bool up_to_a_factor = false;

  void fields(Fields& f) override {
    operand_field(f, "of", of, "the points");
    f.group(
        "to", [this](Fields& g) { to.fields(g); }, "the curve, as another quantity over the same x; or x and y");
    f.reals("x", x, {}, "where the curve is given");
    f.reals("y", y, {}, "the curve there");
    f.require(x.size() == y.size(), "y", text("must be as many as x, ", x.size(), ", got ", y.size()));
    f.require(to.quantity.empty() != x.empty(), "to", "either this with a quantity or x and y must be given, not both");
    over_field(f, over);
    f.boolean("up_to_a_factor", up_to_a_factor, "whether the curve may first be multiplied by what fits best");
  }
  std::string words() const override {
    return text("largest relative deviation of ", words_of(of), " over ", words_of_axis(over), " from ",
                to.quantity.empty() ? "the given curve" : words_of(to), up_to_a_factor ? ", up to a factor" : "");
  }
  std::vector<Use> uses() const override {
    std::vector<Use> uses = {{"of", &of, over, true}};
    if (!to.quantity.empty()) uses.push_back({"to", &to, over, true});
    return uses;
  }
  std::vector<Sample> samples(const ObservedExperiment& experiment) const override {
    Sample sample;
    std::map<std::int64_t, std::vector<Point>> curves;
    if (!to.quantity.empty()) curves = points(to, over, experiment);
    for (const auto& [seed, row] : points(of, over, experiment)) {
      std::vector<Point> curve;
      if (to.quantity.empty()) {
        for (std::size_t i = 0; i < x.size(); ++i) curve.push_back({x[i], y[i]});
      } else if (const auto found = curves.find(seed); found != curves.end()) {
        curve = found->second;
      } else {
        continue;
      }
      sample.by_seed[seed] = deviation_of(row, at_points(curve, row), up_to_a_factor);
    }
    return {sample};
  }

 private:
  // The curve's y at the x of each point.
  static std::vector<double> at_points(const std::vector<Point>& curve, const std::vector<Point>& points) {
    std::vector<double> y;
    for (const Point& point : points) {
      const auto found = std::find_if(curve.begin(), curve.end(), [&](const Point& c) {
        return std::abs(c.x - point.x) <= 1e-9 * std::max(1.0, std::abs(point.x));
      });
      const bool unknown = std::isnan(point.y);  // of a run that diverged before it had any
      if (found == curve.end() && !unknown) throw Unmeasured(text("the curve has no point at x = ", point.x));
      y.push_back(found == curve.end() ? kNaN : found->y);
    }
    return y;
  }
};

// The largest number over the smallest, or minus the smallest: how much something depends on the layer or on an axis.
struct Spread : MeasureOptions {
  Operand of;
  std::string over = kOverSites;
  bool ratio = false;

  void fields(Fields& f) override {
    operand_field(f, "of", of, "the numbers");
    over_field(f, over);
    choice<bool>(f, "as", ratio, {{false, "difference"}, {true, "ratio"}}, "largest minus smallest, or over smallest");
  }
  std::string words() const override {
    return text(ratio ? "largest over smallest " : "largest minus smallest ", words_of(of), " over ",
                words_of_axis(over));
  }
  std::vector<Use> uses() const override { return {{"of", &of, over}}; }
  Scale scale() const override { return ratio ? Scale::logarithmic : Scale::linear; }
  std::vector<Sample> samples(const ObservedExperiment& experiment) const override {
    Sample sample;
    for (const auto& [seed, row] : points(of, over, experiment)) {
      const auto by_y = [](const Point& a, const Point& b) { return a.y < b.y; };
      const bool unknown = std::any_of(row.begin(), row.end(), [](const Point& p) { return std::isnan(p.y); });
      const double low = std::min_element(row.begin(), row.end(), by_y)->y;
      const double high = std::max_element(row.begin(), row.end(), by_y)->y;
      sample.by_seed[seed] = unknown ? kNaN : ratio ? high / low : high - low;
    }
    return {sample};
  }
};

// The share of the arms of an axis, or of the layers, in which one number reaches its level exactly where another of
// the same runs reaches its own: how well the one foretells the other.
struct Agreement : MeasureOptions {
  Operand of, with;
  double level = 1, with_level = 1;
  std::string over = kOverSites;

  void fields(Fields& f) override {
    operand_field(f, "of", of, "the number that foretells");
    f.real("level", level, {}, "what it must be at least");
    operand_field(f, "with", with, "the number that is foretold, of the runs of `of`");
    f.require(with.arms.empty() && with.best_over.empty(), "with",
              "must name no arms or best_over: they are those of `of`");
    f.real("with_level", with_level, {}, "what it must be at least");
    over_field(f, over);
  }
  std::string words() const override {
    return text("share of ", words_of_axis(over), " where ", words_of(of), " is at least ", level, " exactly if ",
                words_of(with), " is at least ", with_level);
  }
  std::vector<Use> uses() const override { return {{"of", &of, over}}; }
  Scale scale() const override { return Scale::share; }
  std::vector<Sample> samples(const ObservedExperiment& experiment) const override {
    Operand foretold = with;
    foretold.arms = of.arms;
    foretold.best_over = of.best_over;
    const auto others = points(foretold, over, experiment);
    Sample sample;
    for (const auto& [seed, row] : points(of, over, experiment)) {
      const auto other = others.find(seed);
      if (other == others.end()) continue;
      const std::vector<Point>& its = other->second;
      const auto alike = [&](const Point& a, const Point& b) { return over != kOverSites || a.x == b.x; };
      if (!std::equal(row.begin(), row.end(), its.begin(), its.end(), alike)) {
        throw Unmeasured(text(words_of(of), " and ", words_of(with), " are not of the same layers"));
      }
      double same = 0;
      for (std::size_t i = 0; i < row.size(); ++i) {
        const double a = row[i].y, b = its[i].y;
        same += std::isnan(a) || std::isnan(b) ? kNaN : (a >= level) == (b >= with_level) ? 1 : 0;
      }
      sample.by_seed[seed] = same / static_cast<double>(row.size());
      sample.trials = std::max(sample.trials, static_cast<int>(row.size()));
    }
    return {sample};
  }
};

}  // namespace

const std::vector<Registered<MeasureOptions>>& measures_over_places() {
  static const std::vector<Registered<MeasureOptions>> all = {
      kind<MeasureOptions, Slope>("slope", "of a line through points over layers or over an axis of numbers"),
      kind<MeasureOptions, Fit>("fit", "largest relative deviation of points from a curve"),
      kind<MeasureOptions, Spread>("spread", "largest against smallest over layers or over an axis"),
      kind<MeasureOptions, Agreement>("agreement", "how often one number reaches a level exactly where another does"),
  };
  return all;
}

double slope_of(const std::vector<Point>& points, LineAxes axes) {
  if (points.size() < 2) return kNaN;
  const auto count = static_cast<double>(points.size());
  std::vector<Point> seen = points;
  for (Point& point : seen) {
    if (axes == LineAxes::log_log) point.x = std::log(point.x);
    if (axes != LineAxes::linear) point.y = std::log(point.y);
  }
  double mean_x = 0, mean_y = 0, covariance = 0, variance = 0;
  for (const Point& point : seen) {
    mean_x += point.x / count;
    mean_y += point.y / count;
  }
  for (const Point& point : seen) {
    covariance += (point.x - mean_x) * (point.y - mean_y);
    variance += (point.x - mean_x) * (point.x - mean_x);
  }
  const double slope = covariance / variance;
  return axes == LineAxes::semi_log ? std::exp(slope) : slope;
}

double deviation_of(const std::vector<Point>& points, const std::vector<double>& curve, bool up_to_a_factor) {
  double log_factor = 0;
  for (std::size_t i = 0; up_to_a_factor && i < points.size(); ++i) {
    log_factor += std::log(points[i].y / curve[i]) / static_cast<double>(points.size());
  }
  double largest = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double deviation = std::abs(points[i].y / (curve[i] * std::exp(log_factor)) - 1);
    if (!(deviation <= largest)) largest = deviation;  // NaN stays
    if (std::isnan(largest)) break;
  }
  return largest;
}

}  // namespace normlab

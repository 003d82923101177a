// Measures: what makes one number for each seed out of what runs left. Each kind is a struct with its formula and a
// line in a list: in measures_over_places.cpp those that go over layers or the arms of an axis, in measures.cpp the
// others.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "../../engine/registry.h"
#include "operand.h"

namespace normlab {

// How the numbers of the seeds make one: their mean, their geometric mean, or the share of all trials that came out, of
// which a seed is one (1 when it has a property, 0 when not) or has several (the share of them).
enum class Scale { linear, logarithmic, share };

// An operand as a measure uses it, for what is true of all measures.
struct Use {
  std::string path;  // within the measure: "of", "operands[1]"
  const Series* operand;
  std::string over;      // "sites", an axis, or nothing
  bool numbers = false;  // whether the arms of that axis must hold numbers
};

struct Sample {
  std::string of;                          // which of several, in words; else empty
  std::map<std::int64_t, double> by_seed;  // NaN where it is not known, as of a run that diverged before it had any
  int trials = 1;                          // of a share: how many each seed has
};

class MeasureOptions {
 public:
  virtual ~MeasureOptions() = default;

  virtual void fields(Fields& f) = 0;
  virtual std::string words() const = 0;
  virtual std::vector<Use> uses() const = 0;
  virtual Scale scale() const { return Scale::linear; }
  // One sample; of an order one for each pair of neighbours, which all must lie in the range. Unmeasured when runs that
  // are over do not have what the operands name.
  virtual std::vector<Sample> samples(const ObservedExperiment& experiment) const = 0;
};

const std::vector<Registered<MeasureOptions>>& registered(const MeasureOptions*);
using MeasureConfig = Choice<MeasureOptions>;

// What the kinds compute.

// Which axes are logarithms before a straight line is laid through points.
enum class LineAxes { linear, semi_log, log_log };
// The slope of the least-squares line through the points: dy/dx, or d ln y / d ln x; for semi_log the factor
// exp(d ln y / dx) by which y grows when x grows by 1. NaN for fewer than two points, or where a logarithm has none.
double slope_of(const std::vector<Point>& points, LineAxes axes);

// The largest |y / curve - 1| over the points; with `up_to_a_factor` the curve is first multiplied by the geometric
// mean of y / curve. `curve` has a y for each point.
double deviation_of(const std::vector<Point>& points, const std::vector<double>& curve, bool up_to_a_factor);

// The first step at which a falling value is at most `level`, or a rising one at least; infinite when it never is, NaN
// when the level is not finite.
double steps_to_reach(const std::vector<Observation>& observations, double level, bool rising);

}  // namespace normlab

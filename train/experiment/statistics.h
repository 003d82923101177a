// Means over seeds and how sure they are; quantiles.
#pragma once

#include <vector>

namespace normlab {

struct Interval {
  double mean = 0;
  double half_width = 0;  // infinite for fewer than two values
};

// The mean with the interval of that level by Student's t over independent values (seeds).
Interval mean_interval(const std::vector<double>& values, double level = 0.95);

// The quantile t with P(|T| <= t) = level < 1 for Student's distribution with that many degrees of freedom.
double student_t(double level, int degrees_of_freedom);

// The quantile p of some values, linear between the order statistics (type 7 of Hyndman & Fan 1996); NaN when one is
// NaN or there are none.
double quantile(std::vector<double> values, double p);

}  // namespace normlab

// Means over seeds and how sure they are.
#pragma once

#include <vector>

namespace normlab {

struct Interval {
  double mean = 0;
  double half_width = 0;  // of the 95 % interval; infinite for fewer than two values
};

// The mean with its 95 % interval by Student's t over independent values (seeds).
Interval mean_interval(const std::vector<double>& values);

// The quantile t with P(|T| <= t) = 0.95 for Student's distribution with that many degrees of freedom.
double student_t95(int degrees_of_freedom);

}  // namespace normlab

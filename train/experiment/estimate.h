// One number out of those of the seeds, with the 95 % interval that it lies in. Seeds are taken to be independent, and
// so are the trials of a seed.
#pragma once

#include <string>
#include <vector>

#include "measures.h"

namespace normlab {

struct Estimate {
  double value = 0, low = 0, high = 0;  // the interval is unbounded where the seeds are too few for one
  std::string method;                   // "mean, Student's t"
};

// By the rule:
//   share        the share of all trials, so many a seed, with its interval by Clopper & Pearson (1934); a seed whose
//                number is not known counts as without for the low end, and as with for the high end
//   linear       the mean, by Student's t
//   logarithmic  the geometric mean, by Student's t on the logarithms
//   the latter two, where a number is infinite or not known, or has no logarithm: the median by order statistics; it
//   takes 6 seeds to bound it
Estimate estimate(const std::vector<double>& by_seed, Scale scale, int trials = 1);

// The median between two of the values in their order, x(j) and x(n + 1 - j) with the largest j for which the number of
// values below the true median, binomial with n and 1/2, is below j with a probability of at most 2.5 %. A NaN is a
// value that is not known: it counts as -infinity for the low end and as infinity for the high one.
Estimate median_estimate(std::vector<double> values);

// `successes` of `count` trials (Clopper & Pearson 1934): the low end is the p at which so many successes or more have
// a probability of 2.5 %, the high end that at which so many or fewer have.
Estimate share_estimate(int successes, int count);

}  // namespace normlab

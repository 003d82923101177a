// Verdicts: what the runs say about each claim. Always computed from the run folders, never typed in.
//
// The measure gives one number for each seed, and these one estimate with its 95 % interval (estimate.h). The verdict
// is, by the first line that applies:
//   undecided      runs are not over; or have not what the measure looks at; or there are fewer seeds than least_seeds;
//                  or the baseline is untrained
//   held           the interval lies in the range of the claim
//   did not hold   the interval lies outside of it
//   undecided      otherwise: the interval reaches over an end of the range
// Of an order, all steps must lie in the range for it to hold, and one outside is enough for it not to; the step shown
// is the one that decides.
#pragma once

#include <cmath>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "experiment_config.h"
#include "observations.h"

namespace normlab {

enum class Verdict { held, did_not_hold, undecided };
const char* name_of(Verdict verdict);  // "did not hold"

struct ClaimResult {
  std::string id, claim, source;
  std::string measure;  // in words, with the arms: "last valid_nll of Post-LN minus last valid_nll of Pre-LN"
  std::string rule;     // "held when at least 1.5"
  Verdict verdict = Verdict::undecided;
  std::string reason;
  double value = 0, low = 0, high = 0;  // over seeds; NaN when there is no value, an open end is infinite
  std::string method;                   // how the seeds were put together: "mean, Student's t"
  std::optional<double> paper;
  std::string differs;
  int seeds = 0;  // that are over, their number known or not
  bool evidence = true;

  // Of one seed most measures have none; its end is then infinite.
  bool has_interval() const { return seeds > 1 || (seeds == 1 && std::isfinite(high)); }
};

// One for each claim, in their order.
std::vector<ClaimResult> judge(const Experiment& experiment, const std::vector<ObservedRun>& runs);

// verdicts.json and verdicts.csv, whole or not at all. What is not finite is written as the text inf, -inf or nan.
void write_verdicts(const std::vector<ClaimResult>& results, const std::filesystem::path& folder);

// What a person reads; empty without claims.
std::string verdict_table(const std::vector<ClaimResult>& results);

}  // namespace normlab

// Operands: which runs a measure looks at, and which number of each.
//
//   {"arms": ["Post-LN", "warm-up"], "quantity": "valid_nll", "at": "last"}
//
// An operand must leave one arm of every axis of the sweep: it names the arm, or gives the axis to `best_over`, or the
// measure goes over that axis. It then has one number for each seed, taken in two steps: `at` makes one number of the
// steps of each site, and `across` one of the sites.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "../../engine/error.h"
#include "../../engine/fields.h"
#include "observations.h"
#include "sweep_config.h"

namespace normlab {

// A quantity of some runs, through all its steps and sites.
struct Series {
  std::vector<std::string> arms;
  std::vector<std::string> best_over;  // axes of which the arm with the lowest mean validation loss is taken
  std::string quantity;
  std::string sites = "*";
  std::int64_t from_step = 0;  // earlier ones are not looked at

  void fields(Fields& f);
};

// How several sites become one number. `first` and `last` go by the layer in the site's path.
enum class Across { only, first, last, mean, max, min };

void across_field(Fields& f, Across& across);

// One number of each run.
struct Operand : Series {
  std::string at = "last";
  Across across = Across::only;

  void fields(Fields& f);
};

// Why a measure has no value, though its runs are over.
class Unmeasured : public Error {
 public:
  using Error::Error;
};

// The axes of a sweep and its runs, as measures see them.
struct ObservedExperiment {
  const std::vector<Axis>& axes;
  const std::vector<ObservedRun>& runs;
};

// In what a measure goes over: its sites, or an axis of the sweep; nothing when it takes one number of each run.
inline const std::string kOverSites = "sites";

// What is wrong with the arms and axes that an operand names, or nothing. With `numbers` the arms of the axis `over`
// must hold numbers.
std::string trouble(const Series& operand, const std::string& over, bool numbers, const std::vector<Axis>& axes);

// In words: "layers" for the sites, an axis of named arms, which has but a number, "the arms", another by its name.
std::string words_of_axis(const std::string& over);
// In words: "last valid_nll of Post-LN, warm-up".
std::string words_of(const Series& operand);
std::string words_of(const Operand& operand);

// All runs that an operand looks at, those among which it takes the best included.
std::vector<const ObservedRun*> looked_at(const Series& operand, const ObservedExperiment& experiment);

// The run of each seed, of those that are over, with the best arms of best_over.
std::map<std::int64_t, const ObservedRun*> run_of_each_seed(const Series& operand,
                                                            const ObservedExperiment& experiment);

// The observations of each site, in the order the sites were written. Of a run that diverged before it had any, one
// site with nothing. Unmeasured when another has none.
using SiteObservations = std::pair<std::string, std::vector<Observation>>;
std::vector<SiteObservations> by_site(const Series& operand, const ObservedRun& run);

// One number of the numbers of several sites. Unmeasured when there are several and `across` is `only`.
struct SiteNumber {
  std::string site;
  double value = 0;
};
double across_sites(const std::vector<SiteNumber>& numbers, Across across, const Series& operand);

// The number of each seed.
std::map<std::int64_t, double> numbers(const Operand& operand, const ObservedExperiment& experiment);

// The points of each seed over sites (x is the layer, counted from 1) or over an axis (x is the number in the arm's
// name), x ascending. Seeds whose runs are not all over are left out.
struct Point {
  double x = 0, y = 0;
};
std::map<std::int64_t, std::vector<Point>> points(const Operand& operand, const std::string& over,
                                                  const ObservedExperiment& experiment);

}  // namespace normlab

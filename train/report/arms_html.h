// The table of arms: what the runs of each arm reached, over seeds.
#pragma once

#include <string>
#include <vector>

#include "../experiment/observations.h"

namespace normlab {

// A row for each arm with the last perplexities and scores of its runs, then a folded table for each quantity that
// probes and measurements told. Means over the runs that are over and have a finite value, with 95 % intervals.
std::string arms_html(const std::vector<ObservedRun>& runs);

}  // namespace normlab

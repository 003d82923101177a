// report.html: the answer of one experiment on one page, which opens without a network, on a desk, on a phone and on
// paper. It is a function of the experiment and of its runs' files alone but for its date, also while runs go on.
#pragma once

#include <filesystem>
#include <vector>

#include "../experiment/experiment_config.h"
#include "../experiment/observations.h"
#include "../experiment/verdict.h"

namespace normlab {

// Writes report.html and figures/<name>.svg, .csv and .gnuplot into the folder, each whole or not at all. `results` are
// those of judge(), in the order of the experiment's claims.
void write_report(const Experiment& experiment, const std::vector<ObservedRun>& runs,
                  const std::vector<ClaimResult>& results, const std::filesystem::path& folder);

}  // namespace normlab

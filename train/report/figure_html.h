// The figures of a report: drawn, written as files, and set on the page.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "../experiment/experiment_config.h"
#include "../experiment/observations.h"

namespace normlab {

// The figures that the experiment asks for, or else the validation loss over the steps. Writes
// figures/<name>.svg, .csv and .gnuplot into the folder and gives back what stands on the page. Where gnuplot is
// missing the page says so and shows the numbers.
std::string figures_html(const Experiment& experiment, const std::vector<ObservedRun>& runs,
                         const std::filesystem::path& folder);

}  // namespace normlab

// Verdicts on a page.
#pragma once

#include <string>
#include <vector>

#include "../experiment/experiment_config.h"
#include "../experiment/verdict.h"

namespace normlab {

// "held", "did-not-hold" or "undecided": gives an element the verdict's colours.
std::string class_of(Verdict verdict);
// The verdict as a stamp, a mark and a word.
std::string stamp(Verdict verdict);
// A card for each claim; empty without any. `results` are in the order of the experiment's claims.
std::string verdicts_html(const Experiment& experiment, const std::vector<ClaimResult>& results);

}  // namespace normlab

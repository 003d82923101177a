// The ledger: the measured verdicts of a paper's claims, kept with its configs. It is written from run folders, and the
// rows of one experiment never touch those of another.
//
//   configs/<paper>/ledger.csv                            the rows, one a claim of an experiment
//   configs/<paper>/figures/<experiment>/<name>.{svg,csv} the figures of these experiments
//   configs/<paper>/runs/<experiment>.csv                 the final figures of each run, the experiment's summary.csv
//   configs/<paper>/README.md                             the same to read, between the marks <!-- ledger --> and
//                                                         <!-- /ledger -->
//   README.md two folders up, if it has these marks       the verdicts of all papers, in short
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "../experiment/verdict.h"
#include "provenance.h"

namespace normlab {

struct LedgerEntry {
  std::filesystem::path folder;  // of the experiment, with its figures/
  std::vector<ClaimResult> results;
  Provenance made;
};

// Puts the rows of these experiments in the place of those that they have in the ledger of the folder so far.
void write_ledger(const std::vector<LedgerEntry>& entries, const std::filesystem::path& paper_folder);

// The text with what stands between the marks replaced; with a section of its own at the end where it has no marks.
// Error when one of the marks is missing or they are in the wrong order.
std::string with_ledger(const std::string& page, const std::string& ledger);

}  // namespace normlab

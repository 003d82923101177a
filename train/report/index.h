// index.html: the ledger of a folder of experiments at a glance, a row for each claim; to be filtered by verdict, paper
// and words, and sorted by any column. Without scripts it is the whole table.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "../experiment/verdict.h"
#include "provenance.h"

namespace normlab {

struct IndexEntry {
  std::filesystem::path folder;  // of the experiment
  std::string question;
  RunCounts counts;
  std::string date;                  // of its last run; may be empty
  std::vector<ClaimResult> results;  // without any the experiment has a row with its question
};

// Writes folder/index.html; the entries' folders lie below it.
void write_index(const std::vector<IndexEntry>& entries, const std::filesystem::path& folder);

// The claim's paper: what stands before the first comma of its source, "Xiong et al. 2020".
std::string paper_of(const ClaimResult& result);

// Names with the numbers in them compared as numbers: X2 before X10.
bool natural_less(const std::string& a, const std::string& b);

}  // namespace normlab

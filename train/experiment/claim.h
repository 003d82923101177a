// Claims: what a config says its results will show, by which measure, and in which range the claim held.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "../../engine/fields.h"

namespace normlab {

// The closed range that a measured value must lie in; open on a side that is not given.
struct HeldRange {
  std::optional<double> at_least, at_most;

  void fields(Fields& f);
};

struct ClaimConfig {
  std::string id;               // its name in the ledger: "X5"
  std::string claim;            // the sentence
  std::string source;           // "Xiong et al. 2020, figure 3"
  std::optional<double> paper;  // the paper's own value of the measure
  std::string differs;          // what differs from the paper's setting
  HeldRange held;
  std::int64_t least_seeds = 3;
  bool evidence = true;  // off where the size is too small to tell anything about the paper

  void fields(Fields& f);
};

}  // namespace normlab

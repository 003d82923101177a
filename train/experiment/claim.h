// Claims: what a config says its results will show, by which measure, and in which range the claim held. README.md has
// a worked example.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "measures.h"

namespace normlab {

// A closed range, open on a side that is not given; one at least is.
struct HeldRange {
  std::optional<double> at_least, at_most;

  void fields(Fields& f);
  std::string words() const;  // "at least 1 and at most 2"
  bool contains(double value) const;
  bool contains(double low, double high) const { return contains(low) && contains(high); }
  bool is_apart_from(double low, double high) const;
};

// What must hold for a comparison to count: "the LN arm reaches a loss of at most 4.5".
struct BaselineConfig : Operand {
  HeldRange level;

  void fields(Fields& f);
};

struct ClaimConfig {
  std::string id;               // its name in the ledger: "X5"
  std::string claim;            // the sentence
  std::string source;           // "Xiong et al. 2020, figure 3"
  std::optional<double> paper;  // the source's own value of the measure
  std::string differs;          // what differs from the source's setting
  MeasureConfig measure{"value"};
  HeldRange held;
  std::vector<BaselineConfig> baseline;
  std::int64_t least_seeds = 3;
  bool evidence = true;  // off where the size is too small to tell anything about the source

  void fields(Fields& f);
};

// What is wrong with a claim that only the sweep shows: arms and axes that it names. `path` is within the claim.
struct ClaimTrouble {
  std::string path, message;
};
std::vector<ClaimTrouble> troubles(const ClaimConfig& claim, const std::vector<Axis>& axes);

}  // namespace normlab

// The fields of a claim, and how it fits the sweep.
#include "claim.h"

namespace normlab {

void HeldRange::fields(Fields& f) {
  f.optional_real("at_least", at_least, {}, "lower end of the range");
  f.optional_real("at_most", at_most, {}, "upper end of the range");
  f.require(at_least || at_most, "at_least", "at_least or at_most must be given");
  f.require(!at_least || !at_most || *at_least <= *at_most, "at_most",
            text("must be at least at_least ", at_least.value_or(0), ", got ", at_most.value_or(0)));
}

std::string HeldRange::words() const {
  return text(at_least ? text("at least ", *at_least) : "", at_least && at_most ? " and " : "",
              at_most ? text("at most ", *at_most) : "");
}

bool HeldRange::contains(double value) const {
  return (!at_least || value >= *at_least) && (!at_most || value <= *at_most);
}

bool HeldRange::is_apart_from(double low, double high) const {
  return (at_least && high < *at_least) || (at_most && low > *at_most);
}

void BaselineConfig::fields(Fields& f) {
  Operand::fields(f);
  f.require(!quantity.empty(), "quantity", "must be given");
  level.fields(f);
}

void ClaimConfig::fields(Fields& f) {
  f.string("id", id, "its name in the ledger: \"X5\"");
  f.required("id");
  f.string("claim", claim, "what is claimed, in a sentence");
  f.required("claim");
  f.string("source", source, "who claims it and where: \"Xiong et al. 2020, figure 3\"");
  f.optional_real("paper", paper, {}, "the source's own value of the measure");
  f.string("differs", differs, "what differs from the source's setting");
  measure.fields(f, "measure", "the number that decides, one for each seed");
  f.group(
      "held", [this](Fields& g) { held.fields(g); },
      "the claim held when the 95 % interval over seeds lies in this range, and did not hold when it lies outside");
  objects(f, "baseline", baseline,
          "what must be reached on average for the comparison to count; otherwise undecided, baseline untrained");
  f.integer("least_seeds", least_seeds, {.at_least = 2, .at_most = 1e6}, "with fewer seeds the verdict is undecided");
  f.boolean("evidence", evidence, "false for a size that is too small to tell anything about the source");
}

std::vector<ClaimTrouble> troubles(const ClaimConfig& claim, const std::vector<Axis>& axes) {
  std::vector<ClaimTrouble> all;
  for (const Use& use : claim.measure->uses()) {
    const std::string message = trouble(*use.operand, use.over, use.numbers, axes);
    if (!message.empty()) all.push_back({"measure." + use.path, message});
  }
  for (std::size_t i = 0; i < claim.baseline.size(); ++i) {
    const std::string message = trouble(claim.baseline[i], "", false, axes);
    if (!message.empty()) all.push_back({text("baseline[", i, "]"), message});
  }
  return all;
}

}  // namespace normlab

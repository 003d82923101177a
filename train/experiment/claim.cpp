// The fields of a claim.
#include "claim.h"

namespace normlab {

void HeldRange::fields(Fields& f) {
  f.optional_real("at_least", at_least, {}, "least value at which the claim held");
  f.optional_real("at_most", at_most, {}, "largest value at which the claim held");
}

void ClaimConfig::fields(Fields& f) {
  f.string("id", id, "its name in the ledger: \"X5\"");
  f.required("id");
  f.string("claim", claim, "what is claimed, in a sentence");
  f.required("claim");
  f.string("source", source, "who claims it and where: \"Xiong et al. 2020, figure 3\"");
  f.optional_real("paper", paper, {}, "the source's own value of the measure");
  f.string("differs", differs, "what differs from the source's setting");
  f.group(
      "held", [this](Fields& g) { held.fields(g); }, "in which range the measured value says that the claim held");
  f.integer("least_seeds", least_seeds, {.at_least = 2, .at_most = 1e6}, "with fewer seeds the verdict is undecided");
  f.boolean("evidence", evidence, "false for a size that is too small to tell anything about the source");
}

}  // namespace normlab

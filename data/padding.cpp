// Padding: see the header.
#include "padding.h"

#include <algorithm>
#include <cmath>

namespace normlab {
namespace {

constexpr double kMostShare = 0.99;

}  // namespace

void Padding::fields(Fields& f) {
  const auto choose = [this](const char* chosen) {
    return [this, chosen] {
      *this = {};
      kind = chosen;
    };
  };
  const auto list_counted = [this](Fields& g) {
    g.boolean("counted", counted, "pads enter the statistics of norms over tokens; they never enter the loss");
  };
  const auto list_share = [this, list_counted](Fields& g) {
    g.real("share", share, {.at_least = 0, .at_most = kMostShare}, "share of a batch's rows that are pads");
    g.real("spread", spread, {.at_least = 0, .at_most = 0.5},
           "each batch has a share of its own, drawn evenly from share - spread to share + spread");
    g.require(spread <= share && share + spread <= kMostShare, "spread",
              text("share - spread and share + spread must be shares from 0 to ", kMostShare, ", got share ", share,
                   " and spread ", spread));
    list_counted(g);
  };
  f.variant("padding", kind,
            {{"none", "sequences are packed", choose("none"), [](Fields&) {}},
             {"longest", "sequences are padded to the longest of their batch", choose("longest"), list_counted},
             {"share", "sequences are padded in proportion to their length", choose("share"), list_share}},
            "rows put after each sequence that are no tokens, to see what they do to norms");
}

Padding Padding::of_batch(Random random) const {
  Padding own = *this;
  if (spread > 0) own.share = share - spread + 2 * spread * random.uniform();
  own.spread = 0;
  return own;
}

std::vector<Index> Padding::pads(const std::vector<Index>& lengths) const {
  std::vector<Index> pads(lengths.size(), 0);
  if (kind == "longest" && !lengths.empty()) {
    const Index longest = *std::max_element(lengths.begin(), lengths.end());
    std::transform(lengths.begin(), lengths.end(), pads.begin(), [&](Index length) { return longest - length; });
  }
  if (kind == "share") {
    Index tokens = 0, given = 0;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      tokens += lengths[i];
      // The bound holds by itself, but for the rounding of r.
      pads[i] = std::min<Index>(std::llround(owed(tokens)) - given, most_pads(lengths[i]));
      given += pads[i];
    }
  }
  return pads;
}

Index Padding::most_pads(Index tokens) const { return static_cast<Index>(std::ceil(owed(tokens))); }

Index Padding::longest_padded(Index tokens) const {
  Padding most = *this;
  most.share += spread;
  return kind == "share" ? tokens + most.most_pads(tokens) : tokens;
}

}  // namespace normlab

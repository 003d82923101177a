// Padding: rows at the ends of sequences that are no tokens of the text, put in on purpose.
//
// Packed sequences need none. Pads are for the experiment that shows what they do to a norm whose statistics are over
// the rows of a batch. A pad comes after its sequence's last token, so that no causal attention sees it, and it is
// never predicted; so with norms of each row by itself the loss is that of the packed batch, up to rounding. (Not to
// the bit, and not with dropout, which draws by row.)
#pragma once

#include <string>
#include <vector>

#include "../engine/dtype.h"
#include "../engine/fields.h"
#include "../engine/random.h"

namespace normlab {

struct Padding {
  std::string kind = "none";  // | "longest": as long as the longest sequence of the batch | "share"
  double share = 0.3;         // of a batch's rows that are pads, for the kind "share"
  double spread = 0;          // each batch has a share of its own, from share - spread to share + spread
  bool counted = false;       // do pads enter the statistics of norms?

  // Lists the padding as the variant "padding".
  void fields(Fields& f);

  // The padding of one batch, its share drawn evenly from the range.
  Padding of_batch(Random random) const;

  // The pads of each sequence of a batch, from the sequences' tokens; the spread is of_batch's alone. By share, a token
  // is owed r = share / (1 - share) pads: sequences up to and including any one have round(r * their tokens) pads
  // together. So the share of a batch is exact to half a row, and a sequence of n tokens gets at most ceil(r * n).
  std::vector<Index> pads(const std::vector<Index>& lengths) const;
  // The most rows of a padded sequence, where the longest has so many tokens.
  Index longest_padded(Index tokens) const;

 private:
  double owed(Index tokens) const { return share / (1 - share) * static_cast<double>(tokens); }
  Index most_pads(Index tokens) const;
};

}  // namespace normlab

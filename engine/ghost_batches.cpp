// Ghost batches: see the header.
#include "ghost_batches.h"

namespace normlab {

std::vector<GhostBatch> ghost_batches(const Rows& rows, Index tokens) {
  check(tokens >= 0, "ghost batches: the number of tokens must not be negative, got ", tokens);
  if (rows.tokens() == 0) return {};
  const Index counted = rows.counted();
  const Index pieces = tokens == 0 || counted == 0 ? 1 : (counted + tokens - 1) / tokens;
  std::vector<GhostBatch> ghosts;
  Index row = 0, seen = 0;
  for (Index piece = 1; piece <= pieces; ++piece) {
    const Index begin = row, before = seen, last = counted * piece / pieces;
    while (row < rows.tokens() && (piece == pieces || seen < last || !rows.counts(row))) seen += rows.counts(row++);
    ghosts.push_back({begin, row, seen - before});
  }
  return ghosts;
}

}  // namespace normlab

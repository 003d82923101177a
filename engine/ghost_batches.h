// Ghost batches: a batch of rows cut into smaller ones, each with statistics of its own (Hoffer et al. 2017).
#pragma once

#include <vector>

#include "rows.h"

namespace normlab {

// The rows [begin, end), of which `counted` count.
struct GhostBatch {
  Index begin = 0;
  Index end = 0;
  Index counted = 0;
};

// All rows, cut into as few runs of at most `tokens` counted rows as there can be; their numbers differ by one at most.
// One run when `tokens` is 0, none without rows. A row that does not count goes with the counted one before it.
std::vector<GhostBatch> ghost_batches(const Rows& rows, Index tokens);

}  // namespace normlab

// Every registered norm, timed against the memory it has to move.
//
// A norm does little arithmetic on each number, so that a good one takes as long as its matrices take to come and go.
// The floor is that time: the bytes of Norm::passes() at the bandwidth of a copy y[i] = x[i], measured in the same
// rounds. A store first fetches the line it overwrites, which nobody counts: every other matrix of the copy is stored,
// but only one of the three of most backwards, so that a figure somewhat below 1 is no mistake.
#pragma once

#include <string>
#include <vector>

#include "../../engine/dtype.h"

namespace normlab {

// One direction of one norm, or the copy.
struct Transfer {
  double seconds = 0;  // median
  int passes = 0;      // matrices read and written
  double bytes = 0;
  double bytes_per_second = 0;
  double over_floor = 0;  // how many times as long as the copy would take for so many bytes
};

struct NormFigures {
  std::string kind, pre_scale;  // as a config names them
  Transfer forward, backward;
};

struct NormsFigures {
  Index rows = 0, features = 0;
  int rounds = 0;  // that were counted
  Transfer copy;
  std::vector<NormFigures> norms;
};

// Training forward and backward, in f32, of every registered norm with its default options, and of each pre-scale with
// no norm behind it. `rounds`, at least 2; the first fills the pool and is not counted. Error when a norm cannot do
// with so many features.
NormsFigures measure_norms(Index rows, Index features, int rounds);

std::string as_text(const NormsFigures& figures);
std::string as_json(const NormsFigures& figures);  // one line a norm

}  // namespace normlab

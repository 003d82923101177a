// Every op that works on each element or row by itself, and every registered norm, timed against its floor.
//
// Such an op does little arithmetic on each number, so that a good one takes as long as its matrices take to come and
// go: the bytes that its formula forces it to move, at the bandwidth of a copy y[i] = x[i] measured in the same rounds.
// A store first fetches the line it overwrites, which nobody counts: every other matrix of the copy is stored, but only
// one of the three of most backwards, so that a figure somewhat below 1 is no mistake. Where exponentials or random
// words are made the floor may be arithmetic: as many instructions of this program's vector unit as they take, at the
// rate at which the machine does multiply-adds (see peak.h). The larger of the two is the floor.
//
// A machine whose cores and memory are shared with others changes from one moment to the next. So the copy and the
// multiply-adds are timed right before each op, and told of an op is the round in which its time over its floor was the
// median.
#pragma once

#include <string>
#include <vector>

#include "../../engine/dtype.h"

namespace normlab {

// One direction of an op, or the copy.
struct Transfer {
  double seconds = 0;
  int passes = 0;  // matrices read and written
  double bytes = 0;
  double bytes_per_second = 0;
  int instructions = 0;  // vector instructions of an element, where they are many
  // Seconds that its bytes and its instructions would take, by the copy and the peak of the same round.
  double moving = 0, computing = 0;
  double floor() const { return moving > computing ? moving : computing; }
  double over_floor() const { return seconds / floor(); }
};

struct OpFigures {
  std::string name;
  std::string pre_scale;  // of a norm, as a config names it; empty for an op that is none
  Transfer forward, backward;
};

struct OpsFigures {
  Index rows = 0, features = 0;
  int rounds = 0;   // that were counted
  double peak = 0;  // the median, as of the copy
  Transfer copy;
  std::vector<OpFigures> ops;
};

// Training forward and backward, in f32, of every registered norm with its default options, and of each pre-scale with
// no norm behind it; before them, unless `norms_alone`, of the other ops. `rounds`, at least 2; the first fills the
// pool and is not counted. Error when a norm cannot do with so many features.
OpsFigures measure_ops(Index rows, Index features, int rounds, bool norms_alone);

std::string as_text(const OpsFigures& figures);
std::string as_json(const OpsFigures& figures);  // one line an op

}  // namespace normlab

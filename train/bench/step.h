// A whole training step, timed, counted, and told apart by op.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "workloads.h"

namespace normlab {

// One op's part of a step.
struct OpShare {
  std::string op;
  double forward = 0, backward = 0;  // seconds a step, all calls together
  int calls = 0;                     // a step
};

struct StepFigures {
  std::string workload, doc;
  StackConfig::Recompute recompute;
  int rounds = 0;                  // that were counted; each takes every batch once
  double seconds = 0;              // of a step: the median over rounds, shared among the batches of a round
  double tokens = 0;               // in a step, on average
  double operations = 0;           // of products in a step that no way of computing it can do without
  double peak = 0;                 // operations per second that this machine can do; see peak.h
  std::uint64_t fresh_blocks = 0;  // storage asked of the system after the first round
  double state_bytes = 0;          // parameters, their gradients and the optimizer's moments
  double process_bytes = 0;        // what the process held before there was a model
  double peak_bytes = 0;           // the most that the process ever held
  std::vector<OpShare> ops = {};   // the costliest first; the optimizer's parts are among them
  // Memory that a step takes beyond the state: what another way of computing it could save.
  double beyond_state_bytes() const { return peak_bytes - process_bytes - state_bytes; }
};

// Trains the workload's model for at least so many steps, at least 2, with dropout, clipping and Adam, in f32. The
// first round fills the pool and is not counted. Half as many rounds follow that are looked at op by op and not timed
// as a whole. The peak memory is the process's: a process should measure one workload.
StepFigures measure_step(const NamedWorkload& workload, int steps, const StackConfig::Recompute& recompute = {});

std::string as_text(const StepFigures& figures);
std::string as_json(const StepFigures& figures);  // one line

}  // namespace normlab

// A whole training step, timed and counted.
#pragma once

#include <cstdint>
#include <string>

namespace normlab {

struct StepFigures {
  std::string workload, doc;
  int steps = 0;                   // that were counted
  double seconds = 0;              // median of a step
  double tokens = 0;               // in a step
  double operations = 0;           // floating-point operations of a step that no way of computing it can do without
  double peak = 0;                 // operations per second that this machine can do; see peak.h
  std::uint64_t fresh_blocks = 0;  // storage asked of the system after the first step
  double pool_peak_bytes = 0;
  double memory_peak_bytes = 0;  // of the whole process
};

// Trains a language model on random tokens for so many steps, at least 2. The first fills the pool and is not counted.
StepFigures measure_step(int steps);

std::string as_text(const StepFigures& figures);
std::string as_json(const StepFigures& figures);  // one line

}  // namespace normlab

// Measurement: what an experiment finds out besides training, or without it.
//
//   "experiment": {"kind": "expected_gradients", "groups": 8}
//
// A new kind is a file in measurement/ (its options, and how it measures) and a line in measurement.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "../engine/registry.h"
#include "task.h"

namespace normlab {

// One number that was found.
struct Measurement {
  std::string quantity = {};
  std::string site = {};  // where in the model; empty for the whole
  double value = 0;
  // Half-width of the interval around the value that covers the true one with probability `level`, as far as this run
  // can tell; NaN where it cannot.
  double error = std::numeric_limits<double>::quiet_NaN();
  double level = 0.95;
};

// What a measurement works with.
struct MeasuringContext {
  std::uint64_t seed = 1;       // of whatever it draws
  std::uint64_t init_seed = 1;  // of the first values of parameters
  Dtype dtype = Dtype::f32;
  Task* task = nullptr;  // with the model at initialization, or trained; null for kinds that are not of_model()
  // To be told after each piece of work: how many of how many are done, and what is known. May throw Interrupted.
  std::function<void(Index done, Index of, const std::string& note)> progress = [](Index, Index, const std::string&) {};
};

// A registered kind of experiment with its options; see registry.h.
struct MeasurementOptions {
  virtual ~MeasurementOptions() = default;
  virtual void fields(Fields& f) = 0;
  // Is training all there is to it?
  virtual bool only_trains() const { return false; }
  // Is it about the model that the config describes, at initialization or after the training described there? Else
  // the config has neither model nor data nor training.
  virtual bool of_model() const { return true; }
  // What keeps it from working with this kind of model; empty when nothing does.
  virtual std::string problem(const ModelOptions& /*model*/) const { return ""; }
  // Are its results times? Then nothing else should run beside it, and no two runs give the same bits.
  virtual bool timed() const { return false; }
  virtual std::vector<Measurement> measure(const MeasuringContext& context) const = 0;
};

const std::vector<Registered<MeasurementOptions>>& registered(const MeasurementOptions*);
using MeasurementConfig = Choice<MeasurementOptions>;

}  // namespace normlab

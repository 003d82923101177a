// What the benchmarks share: a clock, a median, and the environment in their JSON.
#pragma once

#include <chrono>
#include <vector>

#include "../json_tree.h"

namespace normlab {

// How long body() takes, in seconds.
template <class Body>
double seconds_of(Body&& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The middle one of at least one value; of an even number the upper of the two in the middle.
double median(std::vector<double> values);

// Adds what the figures were measured with: threads, version, compiler, processor and so on.
void add_environment(JsonNode& figures);

}  // namespace normlab

// What a run was made with: version, compiler, processor, threads. Printed at start and written into every run.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace normlab {

// Pairs of name and value, in the order they are printed.
std::vector<std::pair<std::string, std::string>> environment();

// One line: "normlab 0.1.0 · AMD EPYC · 2 threads · Eigen 3.4.0 · Release".
std::string environment_line();

// Bytes of memory that this process may still take; 0 when the system does not tell.
double available_memory();

}  // namespace normlab

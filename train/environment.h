// What a run was made with: version, compiler, processor, threads. Printed at start and written into every run.
#pragma once

#include <filesystem>
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

// Bytes that a group of processes, as containers are, may still take, from its folder of the kernel's control groups
// (version 2): its limit less what it holds, but for files that can be read again. Infinity when it has no limit.
double memory_left_to(const std::filesystem::path& group);

}  // namespace normlab

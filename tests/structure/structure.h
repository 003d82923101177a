// The rules of the house that the compiler does not check, read off the source tree.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace normlab::structure {

// Each returns what breaks its rule in the tree at `root`, as "file:line: what is wrong"; nothing when all is well.

// engine <- nn <- train, engine <- data <- train: a file includes nothing of a folder above its own, and names what it
// includes from the house by a relative path, so that an installed header finds it too.
std::vector<std::string> upward_includes(const std::filesystem::path& root);

// A source file includes the header it stands beside before anything else, which proves that the header compiles alone.
// (Headers without a source file are compiled alone by the build of the tests.)
std::vector<std::string> own_header_not_first(const std::filesystem::path& root);

// No header shows Eigen: its ABI depends on compiler flags, which are to stay our own.
std::vector<std::string> eigen_in_headers(const std::filesystem::path& root);

// OpenMP stands in engine/parallel.cpp alone.
std::vector<std::string> openmp_outside_parallel(const std::filesystem::path& root);

// Every source file begins with a comment that says what it is, and no line is longer than 120 characters.
std::vector<std::string> unkempt_files(const std::filesystem::path& root);

// The top level holds what it is meant to hold (and what git ignores), and every folder there has its README.md.
std::vector<std::string> stray_entries(const std::filesystem::path& root);

// A source file that a README names is there: below its folder, or by its path from the root.
std::vector<std::string> dead_names_in_readmes(const std::filesystem::path& root);

// What a patch of tests/mutations replaces is there, so that `./normlab test mutations` can apply it.
std::vector<std::string> stale_mutations(const std::filesystem::path& root);

}  // namespace normlab::structure

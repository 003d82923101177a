// Patterns over the names of sites and parameters.
#pragma once

#include <string>

namespace normlab {

// Does `name` match the glob pattern, in which * stands for any run of characters and ? for one?
bool glob_match(const std::string& pattern, const std::string& name);

}  // namespace normlab

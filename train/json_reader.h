// Reading JSON, from a file's text and from the command line, into a tree that knows the lines.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "json_tree.h"

namespace normlab {

// Reads JSON, in which // comments are allowed. A name given twice in one object is added to `problems`. A syntax
// error, an empty text and too deep a nesting end the reading: they are thrown with all problems so far.
JsonNode parse_json(const std::string& json, Problems& problems);
// Reads a file that the program itself has written. Error with all its problems.
JsonNode read_json(const std::filesystem::path& file);
// Reads a value typed on the command line: JSON if it is JSON, else the string itself.
JsonNode parse_typed(const std::string& typed);

// Sets each "path.to.key=value" of the command line, in order; what is wrong with one goes to `problems`.
void apply_overrides(JsonNode& root, const std::vector<std::string>& overrides, Problems& problems);

}  // namespace normlab

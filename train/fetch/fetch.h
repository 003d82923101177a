// Public data sets on the user's disk: downloaded, prepared, checked by their hashes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data_sets.h"

namespace normlab {

struct FetchSettings {
  std::filesystem::path to;  // the data directory
  std::string from;          // where not empty, each download is from/<name of the data set>/<name of the download>
  int timeout = 30;          // seconds a server may say nothing
};

// The data sets that these words name: by name ("wikitext2") or folder ("wikitext-2"; "glue" names all in it). Error
// with the nearest name for a word that names none.
std::vector<const DataSet*> find_data_sets(const std::vector<std::string>& words);

// How the user comes by a file of the data directory, given by its path in there; "" when it is in no data set's
// folder.
std::string how_to_get(const std::filesystem::path& file, const std::filesystem::path& data_directory);

// What the archive of the user's own holds of the set, prepared, into the set's folder for it; says which files are
// those that fetch() has too. Error when the set has no use for an archive, or this is another one.
void prepare(const DataSet& set, const std::filesystem::path& archive, const std::filesystem::path& data_directory);

// Puts each file at to/<folder>/<path>. A file appears there only when its hash is right; a right one that is there is
// kept, a wrong one too, as an error. What an interrupted or failed call has downloaded stays in to/<name>.part and is
// used by the next. MachineError that says all that went wrong.
void fetch(const std::vector<const DataSet*>& sets, const FetchSettings& settings);

}  // namespace normlab

// Finished runs of other experiments, taken over instead of being repeated.
//
// A run is another's when its resolved config is the same text, its data have the same fingerprint, and it was made by
// the same program (a hash of the executable), on the same processor, by the same library for products: all that its
// bits depend on but the system's own libraries. The number of threads does not matter. The times that its metrics
// tell are those of the run that was done.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "../config.h"

namespace normlab {

class FinishedRuns {
 public:
  // Those in `root` and in folders at most four levels below: runs/<paper>/<experiment>/runs/<run>.
  explicit FinishedRuns(const std::filesystem::path& root);

  // The folder of a run of that config, were it done here on data of that fingerprint, which is only asked for when
  // everything else agrees; nothing when there is none.
  std::optional<std::filesystem::path> find(const Config& config, const std::function<std::string()>& data) const;

 private:
  struct Found {
    std::filesystem::path folder;
    std::string data;  // fingerprint; empty where a run needs none
  };
  void look(const std::filesystem::path& folder, int levels);
  std::multimap<std::string, Found> runs_;  // by the hash of all but the data
};

// Makes `to` the folder of the finished run that `from` holds: files are copied, checkpoints linked where that can be.
// "shared_from" in run.json says where it was done.
void take_over(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace normlab

// FolderLock: at most one process writes into a folder.
#pragma once

#include <filesystem>

namespace normlab {

// Holds the file ".lock" of the folder by flock, and its own process number in it. The system lets go of a lock when
// the process that holds it and its children are gone, however they ended. File systems that cannot lock are gone
// without.
class FolderLock {
 public:
  // Waits two seconds for a process that is just ending; Error when another one still writes here.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace normlab

// One process at a time writes into a folder.
#include "train/folder_lock.h"

#include <unistd.h>

#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

using namespace normlab;

TEST_CASE("a folder is locked once, and free again when the lock is gone") {
  const test::TemporaryFolder folder;
  {
    const FolderLock lock(folder.path());
    CHECK_THROWS_WITH(FolderLock(folder.path()), ContainsSubstring(folder.path().string() + ": process " +
                                                                   std::to_string(::getpid()) + " is writing"));
  }
  CHECK_NOTHROW(FolderLock(folder.path()));
  CHECK_THROWS_WITH(FolderLock(folder / "absent"), ContainsSubstring("cannot be opened"));
}

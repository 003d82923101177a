// Files that appear whole or not at all.
#include "train/files.h"

#include <sys/wait.h>
#include <unistd.h>

#include "engine/error.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/full_disk.h"

using namespace normlab;
using test::TemporaryFolder;

TEST_CASE("A file that is not committed leaves what was there", "[files]") {
  const TemporaryFolder folder;
  write_file(folder / "file", "old");
  {
    AtomicFile file(folder / "file");
    file.write("new");
    CHECK(read_file(folder / "file") == "old");
  }
  CHECK(read_file(folder / "file") == "old");
  CHECK(folder.names() == std::vector<std::string>{"file"});
  {
    AtomicFile file(folder / "file");
    file.write("new");
    file.commit();
  }
  CHECK(read_file(folder / "file") == "new");
  CHECK(folder.names() == std::vector<std::string>{"file"});
}

TEST_CASE("A part file left by a killed process is written over", "[files]") {
  const TemporaryFolder folder;
  write_file(folder / "file.part", "something much longer than what follows");
  write_file(folder / "file", "short");
  CHECK(read_file(folder / "file") == "short");
  CHECK(folder.names() == std::vector<std::string>{"file"});
}

TEST_CASE("Two processes that write one file write it one after the other", "[files]") {
  const TemporaryFolder folder;
  const std::string ours(1 << 20, 'a'), theirs(1 << 18, 'b');
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  const pid_t child = fork();
  if (child == 0) {
    AtomicFile file(folder / "file");
    file.write(theirs);
    if (write(ready[1], "x", 1) != 1) _exit(1);
    usleep(200'000);  // in which the parent begins
    file.commit();
    _exit(0);
  }
  char x;
  REQUIRE(read(ready[0], &x, 1) == 1);
  {
    AtomicFile file(folder / "file");
    CHECK(read_file(folder / "file") == theirs);  // the child has done
    file.write(ours);
    file.commit();
  }
  int state = 0;
  waitpid(child, &state, 0);
  CHECK(state == 0);
  CHECK(read_file(folder / "file") == ours);
  CHECK(folder.names() == std::vector<std::string>{"file"});
}

TEST_CASE("Only regular files are replaced", "[files]") {
  const TemporaryFolder folder;
  REQUIRE_THROWS_AS(write_file(folder.path(), "x"), MachineError);
  std::filesystem::create_symlink("/dev/full", folder / "device");
  REQUIRE_THROWS_WITH(write_file(folder / "device", "x"), ContainsSubstring("not a regular file"));
  CHECK(std::filesystem::is_character_file(folder / "device"));
}

TEST_CASE("A folder is made and tried before it is used", "[files]") {
  const TemporaryFolder folder;
  require_writable_directory(folder / "a" / "b");
  CHECK(std::filesystem::is_empty(folder / "a" / "b"));
  write_file(folder / "file", "");
  REQUIRE_THROWS_WITH(require_writable_directory(folder / "file"), ContainsSubstring("Not a directory"));
  REQUIRE_THROWS_WITH(require_writable_directory("/proc/normlab"), ContainsSubstring("choose a folder that you may"));
  const test::FullDisk full(0);
  REQUIRE_THROWS_AS(require_writable_directory(folder.path()), Error);
  CHECK(folder.names() == std::vector<std::string>{"a", "file"});
}

// What a run says about its machine.
#include "train/environment.h"

#include <limits>

#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "train/files.h"

using namespace normlab;
using test::TemporaryFolder;

TEST_CASE("a container may take what its limit leaves, files that can be read again not counted") {
  const double no_limit = std::numeric_limits<double>::infinity();
  const TemporaryFolder group;
  CHECK(memory_left_to(group / "none") == no_limit);
  write_file(group / "memory.max", "max\n");
  CHECK(memory_left_to(group.path()) == no_limit);

  write_file(group / "memory.max", "1000\n");
  write_file(group / "memory.current", "700\n");
  CHECK(memory_left_to(group.path()) == 300);
  write_file(group / "memory.stat", "anon 550\nfile 150\ninactive_file 100\nactive_file 50\n");
  CHECK(memory_left_to(group.path()) == 400);
  write_file(group / "memory.current", "1200\n");  // the kernel allows it for a moment
  CHECK(memory_left_to(group.path()) == 0);
}

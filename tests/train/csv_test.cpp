// CSV, written and read.
#include "train/csv.h"

#include "engine/error.h"
#include "tests/support/catch.h"

using namespace normlab;

TEST_CASE("cells with commas, quotes and line breaks come back as they were") {
  const std::vector<CsvRow> rows = {{"id", "what it says"}, {"X1", "a, \"b\"\nand c"}, {"", ""}, {"é", " spaced "}};
  CHECK(to_csv(rows) == "id,what it says\nX1,\"a, \"\"b\"\"\nand c\"\n,\né, spaced \n");
  CHECK(read_csv(to_csv(rows)) == rows);
  CHECK(read_csv("a,b\r\nc,d") == std::vector<CsvRow>{{"a", "b"}, {"c", "d"}});
  CHECK(read_csv("").empty());
}

TEST_CASE("a quote that is not closed is an error with its line") {
  CHECK_THROWS_WITH(read_csv("a\nb,\"c\n"), "csv: every quote must be closed, the one in line 2 is not");
}

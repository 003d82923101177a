// Rows: offsets, lengths and counted rows.
#include "engine/rows.h"

#include "tests/support/catch.h"

using namespace normlab;

TEST_CASE("rows know their sequences and what counts") {
  const Rows rows({0, 3, 3, 7}, {1, 1, 0, 1, 1, 0, 1});
  CHECK(rows.tokens() == 7);
  CHECK(rows.sequences() == 3);
  CHECK(rows.length(1) == 0);
  CHECK(rows.begin(2) == 3);
  CHECK(rows.longest() == 4);
  CHECK(rows.counted() == 5);
  CHECK_FALSE(rows.counts(5));
  CHECK(Rows::equal(4, 5).tokens() == 20);
  CHECK(Rows::equal(4, 5).counted() == 20);
  CHECK(Rows().tokens() == 0);
}

TEST_CASE("offsets and flags that make no sense are refused") {
  REQUIRE_THROWS_WITH(Rows({1, 3}), ContainsSubstring("must begin with 0"));
  REQUIRE_THROWS_WITH(Rows({0, 3, 2}), ContainsSubstring("must not fall, got 3 before 2"));
  REQUIRE_THROWS_WITH(Rows({0, 3}, {1}), ContainsSubstring("a flag for each of the 3 rows, got 1"));
}

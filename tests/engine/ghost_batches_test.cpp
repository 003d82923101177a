// Ghost batches: all rows once, in order, no more counted rows than asked for.
#include "engine/ghost_batches.h"

#include "tests/support/catch.h"

using namespace normlab;

TEST_CASE("ghost batches: one for all rows when no number of tokens is given") {
  const auto ghosts = ghost_batches(Rows::of_lengths({3, 4}), 0);
  REQUIRE(ghosts.size() == 1);
  CHECK(ghosts[0].begin == 0);
  CHECK(ghosts[0].end == 7);
  CHECK(ghosts[0].counted == 7);
  CHECK(ghost_batches(Rows(), 4).empty());
}

TEST_CASE("ghost batches: as few as can be, of nearly equal numbers of counted rows") {
  for (const Index tokens : {1, 2, 3, 5, 8, 12, 13, 50}) {
    std::vector<std::uint8_t> flags;
    for (Index i = 0; i < 20; ++i) flags.push_back(i % 3 != 1 && i > 1);  // 12 of 20 count, the first two do not
    const Rows rows({0, 9, 20}, flags);
    const auto ghosts = ghost_batches(rows, tokens);
    CHECK(static_cast<Index>(ghosts.size()) == (rows.counted() + tokens - 1) / tokens);
    Index row = 0;
    for (const GhostBatch& ghost : ghosts) {
      CHECK(ghost.begin == row);
      row = ghost.end;
      Index counted = 0;
      for (Index i = ghost.begin; i < ghost.end; ++i) counted += rows.counts(i);
      CHECK(ghost.counted == counted);
      CHECK(counted <= tokens);
      CHECK(counted >= ghosts.front().counted - 1);
      CHECK(counted <= ghosts.front().counted + 1);
    }
    CHECK(row == 20);
  }
}

TEST_CASE("ghost batches: no counted row makes one empty batch") {
  const auto ghosts = ghost_batches(Rows({0, 2}, {0, 0}), 1);
  REQUIRE(ghosts.size() == 1);
  CHECK(ghosts[0].end == 2);
  CHECK(ghosts[0].counted == 0);
}

// Threads: every piece once, the same sums on any number of threads, exceptions carried out.
#include "engine/parallel.h"

#include <omp.h>

#include <atomic>
#include <limits>
#include <thread>
#include <vector>

#include "tests/support/catch.h"

using namespace normlab;

TEST_CASE("every row is visited once on any number of threads") {
  const int before = threads();
  for (const int count : {1, 2, 4}) {
    set_threads(count);
    for (const Index rows : {0, 1, 7, 1000, 100000}) {
      std::vector<std::atomic<int>> visits(static_cast<std::size_t>(rows));
      parallel_rows(rows, 100, [&](Index begin, Index end) {
        for (Index i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
      });
      bool once = true;
      for (const auto& visit : visits) once = once && visit == 1;
      CHECK(once);
    }
  }
  set_threads(before);
}

TEST_CASE("pieces for sums depend on the shape alone and cover all rows") {
  for (const Index rows : {0, 1, 31, 32, 33, 12345, 1 << 20}) {
    const Pieces pieces = reduction_pieces(rows, 64);
    CHECK(pieces.count <= 32);
    Index covered = 0;
    for (Index piece = 0; piece < pieces.count; ++piece) {
      CHECK(pieces.begin(piece) == covered);
      CHECK(pieces.end(piece) > pieces.begin(piece));
      covered = pieces.end(piece);
    }
    CHECK(covered == rows);
  }
}

#if defined(__SSE2__) || defined(__aarch64__)
TEST_CASE("denormal numbers count as zero on every thread, the calling one included") {
  const int before = threads();
  const volatile float small = std::numeric_limits<float>::min(), denormal = std::numeric_limits<float>::denorm_min();
  const volatile double small64 = std::numeric_limits<double>::min();
  const auto flushed = [&] { return small * 0.5f == 0 && denormal * 1e30f == 0 && small64 * 0.5 == 0; };
  for (const int count : {4, 1}) {  // new threads take after the one that makes them: all at first without
    set_threads(count);
    std::atomic<int> pieces{0};
    parallel(64, [&](Index) { pieces += flushed(); });
    CHECK(pieces == 64);
    CHECK(flushed());
  }
  set_threads(before);
}
#endif

TEST_CASE("parallel inside parallel runs serially; an exception comes out") {
  const int before = threads(), levels = omp_get_max_active_levels();
  set_threads(4);
  omp_set_max_active_levels(2);  // else OpenMP itself would run the inner one serially
  std::atomic<int> total{0}, elsewhere{0};
  parallel(8, [&](Index) {
    const auto outer = std::this_thread::get_id();
    parallel(8, [&](Index) {
      ++total;
      elsewhere += std::this_thread::get_id() != outer;
    });
  });
  omp_set_max_active_levels(levels);
  set_threads(before);
  CHECK(total == 64);
  CHECK(elsewhere == 0);
  REQUIRE_THROWS_WITH(parallel(8, [&](Index piece) { check(piece != 5, "piece ", piece, " is bad"); }),
                      "piece 5 is bad");
  REQUIRE_THROWS_WITH(set_threads(0), ContainsSubstring("at least 1, got 0"));
}

// Signals that arrive while matrices are multiplied.
#include "train/interrupt.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <vector>

#include "engine/gemm.h"
#include "engine/random.h"
#include "tests/support/catch.h"

using namespace normlab;

namespace {

// Products of random shapes, all of ones; is every element of each the inner dimension?
bool products_are_right(int count) {
  Random random(1, "interrupt");
  for (int i = 0; i < count; ++i) {
    const Index largest = random.below(4) == 0 ? 300 : 40;
    const Index m = 1 + random.below(largest), n = 1 + random.below(largest), k = 1 + random.below(largest);
    const std::vector<float> a(static_cast<std::size_t>(m * k), 1.0f), b(static_cast<std::size_t>(k * n), 1.0f);
    std::vector<float> c(static_cast<std::size_t>(m * n));
    const bool a_turned = random.below(2) == 0, b_turned = random.below(2) == 0;
    gemm_serial<float>(m, n, k, 1.0f, {a.data(), a_turned ? m : k, a_turned}, {b.data(), b_turned ? k : n, b_turned},
                       c.data(), n, false);
    for (const float value : c) {
      if (value != static_cast<float>(k)) return false;
    }
  }
  return true;
}

// From now on SIGTERM comes ten thousand times a second.
void start_signals() {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGTERM;
  timer_t timer;
  ::timer_create(CLOCK_MONOTONIC, &event, &timer);
  const itimerspec every{{0, 100'000}, {0, 100'000}};
  ::timer_settime(timer, 0, &every, nullptr);
}

}  // namespace

// oneDNN's kernels use the stack pointer for other things: a handler on the usual stack overwrites the heap.
TEST_CASE("signals that arrive within products harm nothing") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    obey_parent();
    start_signals();
    ::_exit(products_are_right(50000) && interrupted() ? 0 : 1);
  }
  int state = 0;
  REQUIRE(::waitpid(child, &state, 0) == child);
  REQUIRE(WIFEXITED(state));
  CHECK(WEXITSTATUS(state) == 0);
}

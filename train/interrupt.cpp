// The flag that a signal sets: see the header.
#include "interrupt.h"

#include <csignal>

namespace normlab {
namespace {

volatile std::sig_atomic_t asked = 0;

void on_signal(int signal) {
  asked = 1;
  std::signal(signal, SIG_DFL);  // the next one is not caught
}

}  // namespace

void catch_interrupts() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

bool interrupted() { return asked != 0; }

}  // namespace normlab

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

void on_word_of_parent(int) { asked = 1; }

}  // namespace

void catch_interrupts() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

void obey_parent() {
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGTERM, on_word_of_parent);
}

bool interrupted() { return asked != 0; }

}  // namespace normlab

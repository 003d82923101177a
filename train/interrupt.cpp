// The flag that a signal sets: see the header.
#include "interrupt.h"

#include <signal.h>

namespace normlab {
namespace {

volatile sig_atomic_t asked = 0;

void on_signal(int) { asked = 1; }

// From now on the signal sets the flag. The handler runs on a stack of its own: oneDNN's kernels make the stack pointer
// one of their registers, and what the system puts there for a handler, some kilobytes, would overwrite the heap. Such
// a stack belongs to the calling thread, which must be the main one: the system prefers it for signals to the process.
void handle(int signal, int flags) {
  alignas(64) static char memory[1 << 16];
  stack_t stack{};
  stack.ss_sp = memory;
  stack.ss_size = sizeof(memory);
  ::sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_ONSTACK | SA_RESTART | flags;
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

void catch_interrupts() {
  handle(SIGINT, static_cast<int>(SA_RESETHAND));  // the next one is not caught
  handle(SIGTERM, static_cast<int>(SA_RESETHAND));
}

void obey_parent() {
  ::signal(SIGINT, SIG_IGN);
  handle(SIGTERM, 0);
}

bool interrupted() { return asked != 0; }

}  // namespace normlab

// Ctrl-C and SIGTERM ask for an end in good order: the loop looks at a flag between steps. A second Ctrl-C ends at
// once. A child process hears of Ctrl-C from its parent, by SIGTERM, since a terminal sends the signal to both.
#pragma once

#include "../engine/error.h"

namespace normlab {

// Thrown by long work once it has put everything in order; the message says how to go on.
class Interrupted : public Error {
 public:
  using Error::Error;
};

void catch_interrupts();  // installs the handlers; for the main thread to call, as the next
bool interrupted();       // has the user asked to stop?
void obey_parent();       // in a child: SIGTERM asks, however often it comes; Ctrl-C is left to the parent

}  // namespace normlab

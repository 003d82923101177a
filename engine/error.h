// Errors: a message for a person, built from parts. Defines text(), check(), Error and MachineError.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace normlab {

// The parts written one after the other, as an ostream would print them.
template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

// The caller's mistake: a wrong shape, a bad config, a damaged file. The message reads "op: what must hold, what came".
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The machine failed where the caller did nothing wrong: a full disk, a file that cannot be written.
class MachineError : public Error {
 public:
  using Error::Error;
};

// Throws Error with the parts as its message unless `ok`. The message is only built on failure.
template <class... Parts>
void check(bool ok, const Parts&... parts) {
  if (!ok) throw Error(text(parts...));
}

}  // namespace normlab

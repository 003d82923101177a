// The PATH on which programs are looked for, as a test wants it.
#pragma once

#include <cstdlib>
#include <string>

namespace normlab::test {

// Put back at the end.
class Path {
 public:
  explicit Path(const std::string& path) : before_(std::getenv("PATH")) { setenv("PATH", path.c_str(), 1); }
  ~Path() { setenv("PATH", before_.c_str(), 1); }

 private:
  std::string before_;
};

}  // namespace normlab::test

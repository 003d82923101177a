// A cache folder of a test's own, in place of the user's.
#pragma once

#include <stdlib.h>

#include <optional>
#include <string>

#include "tests/data/files.h"

namespace normlab {

class CacheFolder : public TemporaryFolder {
 public:
  CacheFolder() {
    if (const char* value = ::getenv("XDG_CACHE_HOME")) before_ = value;
    ::setenv("XDG_CACHE_HOME", path().c_str(), 1);
  }
  ~CacheFolder() {
    if (before_) {
      ::setenv("XDG_CACHE_HOME", before_->c_str(), 1);
    } else {
      ::unsetenv("XDG_CACHE_HOME");
    }
  }
  std::filesystem::path entries() const { return *this / "normlab/prepared"; }

 private:
  std::optional<std::string> before_;
};

}  // namespace normlab

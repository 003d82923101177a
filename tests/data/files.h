// Text files for a test, plain and gzip, and what reading them says.
#pragma once

#include <zlib.h>

#include <fstream>
#include <string>

#include "engine/error.h"
#include "tests/support/temporary_folder.h"

namespace normlab {

class TemporaryFolder : public test::TemporaryFolder {
 public:
  std::string path() const { return test::TemporaryFolder::path().string(); }

  std::string write(const std::string& name, const std::string& contents) const {
    const std::string file = (*this / name).string();
    std::ofstream(file, std::ios::binary) << contents;
    return file;
  }

  std::string write_gzip(const std::string& name, const std::string& contents) const {
    const std::string file = (*this / name).string();
    gzFile out = gzopen(file.c_str(), "wb");
    gzwrite(out, contents.data(), static_cast<unsigned>(contents.size()));
    gzclose(out);
    return file;
  }
};

inline std::string bytes_of_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The message of what body() throws, or "" when it throws nothing.
template <class Body>
std::string message_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace normlab

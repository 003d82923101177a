// Downloads by curl: continued where they stopped, and every way to fail in one sentence.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "../../engine/error.h"

namespace normlab {

// A source did not give its file; the next one may.
class SourceError : public Error {
 public:
  using Error::Error;
};

// No server answered.
class Unreachable : public SourceError {
 public:
  using SourceError::SourceError;
};

class Downloader {
 public:
  // Gives up on a server that cannot be reached or says nothing for `timeout` seconds.
  explicit Downloader(int timeout) : timeout_(std::to_string(timeout)) {}

  // Fetches what stands at `url` into `file`, unless it is there. Until it is whole it is called "<file>.part"; a part
  // that is there is continued. SourceError when there is none to be had, MachineError on a full disk.
  void download(const std::string& url, const std::filesystem::path& file);
  // Has any server answered?
  bool connected() const { return connected_; }
  // The servers that could not be reached, each with the reason.
  std::vector<std::string> unreachable() const;

 private:
  std::string timeout_;
  bool connected_ = false;
  std::map<std::string, std::string> unreachable_;  // host -> why; it is not tried again
};

// 5101618 -> "5.1 MB"
std::string megabytes(double bytes);

}  // namespace normlab

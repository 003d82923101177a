// Text files and others, plain or gzip, and the folders they lie in. Every failure says which file, what was expected,
// what came and what to do.
#pragma once

#include <string>
#include <string_view>

#include "../engine/error.h"

namespace normlab {

// A file, or the folder that would hold it, is not there.
class MissingText : public Error {
 public:
  MissingText(const std::string& path, const std::string& message) : Error(message), path_(path) {}
  const std::string& path() const { return path_; }  // of the file

 private:
  std::string path_;
};

// The whole content of a file, byte by byte. A gzip file (RFC 1952, told by its first two bytes, not by its name) is
// decompressed. MissingText when there is no such file, Error when it is unreadable, cut short or damaged; `what` is
// what errors call it: "image file".
std::string read_content(const std::string& path, const char* what);

// The same of a text, which must not be empty; a UTF-8 byte order mark at the start is dropped.
std::string read_text(const std::string& path);

// Error when the contents of `file` are not valid UTF-8 (the Unicode Standard, table 3-7): names file, byte and line.
void check_utf8(std::string_view contents, const std::string& file);

// `name` looked up in `directory`; an absolute name stands for itself. MissingText when the folder that would hold it
// is not there, Error when it is no folder or cannot be read.
std::string locate_text(const std::string& directory, const std::string& name);

}  // namespace normlab

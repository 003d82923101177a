// Reads through zlib's gzFile, which passes plain text through unchanged; what it leaves unsaid (a file cut within its
// gzip header, or an empty one) is checked here.
#include "text_file.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "unicode.h"

namespace normlab {
namespace {

namespace fs = std::filesystem;

}  // namespace

std::string read_content(const std::string& path, const char* what) {
  const auto fail_damaged = [&](std::size_t bytes, const std::string& came) {
    throw Error(text(what, " ", path, ": must be a whole gzip file, ", came, " after ", bytes,
                     " bytes of content; fetch or compress it again"));
  };
  std::error_code ignored;
  check(!fs::is_directory(path, ignored), what, " ", path, ": must be a file, is a folder; name a file in it");
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    const int reason = errno;
    const std::string message = text(what, " ", path, ": must be readable, got \"", std::strerror(reason),
                                     "\"; check its name, its folder and its permissions");
    if (reason == ENOENT) throw MissingText(path, message);
    throw Error(message);
  }

  struct Close {
    void operator()(gzFile file) const { gzclose(file); }
  };
  const std::unique_ptr<gzFile_s, Close> file(gzdopen(descriptor, "rb"));  // owns the descriptor
  if (!file) {
    close(descriptor);
    throw MachineError(text(what, " ", path, ": needs memory to read, the system has no more"));
  }
  gzbuffer(file.get(), 1 << 17);

  std::string contents;
  char block[1 << 16];
  int got = 0;
  while ((got = gzread(file.get(), block, sizeof block)) > 0) contents.append(block, static_cast<std::size_t>(got));

  int code = Z_OK;
  const std::string reason = gzerror(file.get(), &code);
  if (code == Z_ERRNO) throw MachineError(text(what, " ", path, ": reading it failed: ", std::strerror(errno)));
  if (code == Z_BUF_ERROR) fail_damaged(contents.size(), "it ends");
  if (got < 0 || code != Z_OK) fail_damaged(contents.size(), text("it is damaged (", reason, ")"));
  // zlib passes anything that is not a full gzip header through as plain text.
  const bool gzip_bytes = contents.size() >= 2 && contents[0] == '\x1f' && contents[1] == '\x8b';
  if (gzip_bytes && gzdirect(file.get())) fail_damaged(0, "it ends within its header");

  return contents;
}

std::string read_text(const std::string& path) {
  std::string contents = read_content(path, "text file");
  if (contents.compare(0, 3, "\xEF\xBB\xBF") == 0) contents.erase(0, 3);
  check(!contents.empty(), "text file ", path, ": must hold text, is empty; fetch or write it again");
  return contents;
}

void check_utf8(std::string_view contents, const std::string& file) {
  const auto at = find_invalid_utf8(contents);
  if (!at) return;
  const auto line = 1 + std::count(contents.begin(), contents.begin() + static_cast<std::ptrdiff_t>(*at), '\n');
  throw Error(text("text file ", file, ": must be UTF-8, has ", describe_invalid_utf8(contents, *at), ", line ", line,
                   "; convert it, for example with iconv -t UTF-8"));
}

std::string locate_text(const std::string& directory, const std::string& name) {
  const fs::path path = fs::path(directory) / name;  // an absolute name replaces the directory
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::error_code problem;
  fs::directory_iterator(folder, problem);
  if (problem) {
    const std::string message = text("data folder ", folder.string(), ": must be a folder that can be read, got \"",
                                     problem.message(), "\"; looked there for ", name);
    if (problem == std::errc::no_such_file_or_directory) throw MissingText(path.string(), message);
    throw Error(message);
  }
  return path.string();
}

}  // namespace normlab

// An entry is a file: a line with the hash of the text, then the text.
#include "cache.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

namespace normlab {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> cache_folder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache) return fs::path(cache) / "normlab/prepared";
  if (const char* home = std::getenv("HOME"); home && *home) return fs::path(home) / ".cache/normlab/prepared";
  return std::nullopt;
}

std::string first_line(std::string_view contents) {
  return "normlab prepared text " + Hash().add(contents).text() + "\n";
}

std::optional<std::string> find_entry(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string contents{std::istreambuf_iterator<char>(in), {}};
  const std::size_t begin = contents.find('\n') + 1;  // 0 when there is no line
  if (begin == 0 || first_line(std::string_view(contents).substr(begin)) != contents.substr(0, begin)) {
    return std::nullopt;
  }
  return contents.substr(begin);
}

// Under another name first, so that no reader sees half an entry.
void keep_entry(const fs::path& path, const std::string& contents) {
  std::error_code problem;
  fs::create_directories(path.parent_path(), problem);
  const fs::path part = path.string() + "." + std::to_string(getpid());
  std::ofstream out(part, std::ios::binary);
  out << first_line(contents) << contents;
  out.close();
  if (out) {
    fs::rename(part, path, problem);
  } else {
    fs::remove(part, problem);
  }
}

}  // namespace

std::string cached(const std::string& name, const Hash& key, const std::function<std::string()>& make) {
  const std::optional<fs::path> folder = cache_folder();
  if (!folder) return make();
  const fs::path path = *folder / (name + "-" + key.text());
  if (std::optional<std::string> found = find_entry(path)) return *std::move(found);
  std::string made = make();
  keep_entry(path, made);
  return made;
}

}  // namespace normlab

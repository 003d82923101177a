// An entry is a file: a line with the hash of the text, then the text.
#include "cache.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <vector>

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

// Removes all but the entries used last that are `most` bytes together, and the very last one. A file that a killed
// process left half-written is among them.
void remove_unused(const fs::path& folder, std::uint64_t most) {
  struct Entry {
    fs::file_time_type used;
    fs::path path;
    std::uint64_t bytes;
  };
  std::vector<Entry> entries;
  std::error_code problem;  // another process may remove what is listed here
  for (const auto& file : fs::directory_iterator(folder, problem)) {
    const auto used = file.last_write_time(problem);
    const auto bytes = file.file_size(problem);
    if (!problem) entries.push_back({used, file.path(), bytes});
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.used > b.used; });
  std::uint64_t total = 0;
  for (const Entry& entry : entries) {
    total += entry.bytes;
    if (total > most && &entry != entries.data()) fs::remove(entry.path, problem);
  }
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

std::string cached(const std::string& name, const Hash& key, const std::function<std::string()>& make,
                   std::uint64_t largest_cache) {
  const std::optional<fs::path> folder = cache_folder();
  if (!folder) return make();
  const fs::path path = *folder / (name + "-" + key.text());
  if (std::optional<std::string> found = find_entry(path)) {
    std::error_code ignored;
    fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);  // used
    return *std::move(found);
  }
  std::string made = make();
  keep_entry(path, made);
  remove_unused(*folder, largest_cache);
  return made;
}

}  // namespace normlab

// An entry is a file: a line with the hash of the text, then the text.
#include "cache.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iterator>
#include <optional>
#include <sstream>

namespace normlab {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> cache_folder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache) return fs::path(cache) / "normlab/prepared";
  if (const char* home = std::getenv("HOME"); home && *home) return fs::path(home) / ".cache/normlab/prepared";
  return std::nullopt;
}

std::string hex(std::uint64_t hash) {
  std::ostringstream out;
  out << std::hex << std::setw(16) << std::setfill('0') << hash;
  return out.str();
}

std::string first_line(std::string_view contents) {
  return "normlab prepared text " + hex(CacheKey().add(contents).value()) + "\n";
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

CacheKey& CacheKey::add(std::string_view part) {
  const auto mix = [this](unsigned char byte) { hash_ = (hash_ ^ byte) * 0x100000001B3u; };
  for (char c : part) mix(static_cast<unsigned char>(c));
  for (std::uint64_t length = part.size(), i = 0; i < 8; ++i) mix(static_cast<unsigned char>(length >> (8 * i)));
  return *this;
}

std::string cached(const std::string& name, const CacheKey& key, const std::function<std::string()>& make) {
  const std::optional<fs::path> folder = cache_folder();
  if (!folder) return make();
  const fs::path path = *folder / (name + "-" + hex(key.value()));
  if (std::optional<std::string> found = find_entry(path)) return *std::move(found);
  std::string made = make();
  keep_entry(path, made);
  return made;
}

}  // namespace normlab

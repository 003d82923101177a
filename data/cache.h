// Cache: text that is slow to make, kept between runs in the user's cache folder: $XDG_CACHE_HOME/normlab/prepared, or
// .cache/normlab/prepared in the home folder.
//
// It changes how long things take and nothing else: an entry is found by a hash of everything it was made from, a
// damaged one is made again, and where nothing can be written nothing is kept. The folder may be deleted at any time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace normlab {

// A hash of parts (FNV-1a, 64 bits): not against people who mean harm.
class CacheKey {
 public:
  // "ab", "c" is another key than "a", "bc".
  CacheKey& add(std::string_view part);
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xCBF29CE484222325u;
};

// What make() returned when it was last called for this key, or else what it returns now. `name` begins the file's
// name.
std::string cached(const std::string& name, const CacheKey& key, const std::function<std::string()>& make);

}  // namespace normlab

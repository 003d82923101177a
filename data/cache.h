// Cache: text that is slow to make, kept between runs in the user's cache folder: $XDG_CACHE_HOME/normlab/prepared, or
// .cache/normlab/prepared in the home folder.
//
// It changes how long things take and nothing else: an entry is found by a hash of everything it was made from,
// among it the version of the code that made it, which its caller gives; a damaged one is made again, and where nothing
// can be written nothing is kept. The folder may be deleted at any time. It holds at most kLargestCache bytes, or one
// entry that is larger: what has not been used for longest goes first.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "hash.h"

namespace normlab {

inline constexpr std::uint64_t kLargestCache = std::uint64_t{1} << 30;

// What make() returned when it was last called for this key, or else what it returns now. `name` begins the file's
// name. Entries that the new one leaves no room for are removed.
std::string cached(const std::string& name, const Hash& key, const std::function<std::string()>& make,
                   std::uint64_t largest_cache = kLargestCache);

}  // namespace normlab

// Cache: text that is slow to make, kept between runs in the user's cache folder: $XDG_CACHE_HOME/normlab/prepared, or
// .cache/normlab/prepared in the home folder.
//
// It changes how long things take and nothing else: an entry is found by a hash of everything it was made from, a
// damaged one is made again, and where nothing can be written nothing is kept. The folder may be deleted at any time.
#pragma once

#include <functional>
#include <string>

#include "hash.h"

namespace normlab {

// What make() returned when it was last called for this key, or else what it returns now. `name` begins the file's
// name.
std::string cached(const std::string& name, const Hash& key, const std::function<std::string()>& make);

}  // namespace normlab

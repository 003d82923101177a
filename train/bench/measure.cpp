// The median and the environment.
#include "measure.h"

#include <algorithm>

#include "../../engine/parallel.h"
#include "../environment.h"

namespace normlab {

double median(std::vector<double> values) {
  check(!values.empty(), "median: at least one value, got none");
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void add_environment(JsonNode& figures) {
  figures.add("threads", JsonNode::of(static_cast<std::int64_t>(threads())));
  for (const auto& [name, value] : environment()) {
    if (name != "threads") figures.add(name, JsonNode::of(value));
  }
}

}  // namespace normlab

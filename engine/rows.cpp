// Rows: checked once when made.
#include "rows.h"

#include <algorithm>

namespace normlab {

Rows::Rows(std::vector<Index> offsets, std::vector<std::uint8_t> counted) {
  check(!offsets.empty() && offsets.front() == 0, "rows: offsets must begin with 0");
  auto data = std::make_shared<Data>();
  for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
    const Index length = offsets[i + 1] - offsets[i];
    check(length >= 0, "rows: offsets must not fall, got ", offsets[i], " before ", offsets[i + 1]);
    data->longest = std::max(data->longest, length);
  }
  check(counted.empty() || static_cast<Index>(counted.size()) == offsets.back(), "rows: wants a flag for each of the ",
        offsets.back(), " rows, got ", counted.size());
  data->counted_rows = counted.empty() ? offsets.back()
                                       : static_cast<Index>(std::count_if(counted.begin(), counted.end(),
                                                                          [](std::uint8_t flag) { return flag != 0; }));
  data->offsets = std::move(offsets);
  data->counted = std::move(counted);
  data_ = std::move(data);
}

Rows Rows::of_lengths(const std::vector<Index>& lengths) {
  std::vector<Index> offsets{0};
  for (Index length : lengths) offsets.push_back(offsets.back() + length);
  return Rows(std::move(offsets));
}

Rows Rows::equal(Index sequences, Index length) {
  return of_lengths(std::vector<Index>(static_cast<std::size_t>(sequences), length));
}

}  // namespace normlab

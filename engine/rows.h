// Rows: how the rows of a matrix [tokens, features] divide into sequences, and which of them count.
//
// Sequences of different lengths are packed one after the other with no padding between them. Row-wise ops take the
// matrix alone; attention takes Rows to know where sequences begin; norms over tokens and losses take it to leave rows
// out.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dtype.h"

namespace normlab {

class Rows {
 public:
  Rows() : Rows(std::vector<Index>{0}) {}
  // offsets: 0 = offsets[0] <= offsets[1] <= …; sequence i holds the rows [offsets[i], offsets[i + 1]).
  // counted: one flag a row, or empty when all rows count. Error when offsets do not begin with 0 or fall, or flags are
  // not as many as rows.
  explicit Rows(std::vector<Index> offsets, std::vector<std::uint8_t> counted = {});
  static Rows of_lengths(const std::vector<Index>& lengths);
  static Rows equal(Index sequences, Index length);  // `sequences` sequences of one length
  static Rows single(Index length) { return equal(1, length); }

  Index tokens() const { return data_->offsets.back(); }
  Index sequences() const { return static_cast<Index>(data_->offsets.size()) - 1; }
  Index begin(Index sequence) const { return data_->offsets[static_cast<std::size_t>(sequence)]; }
  Index end(Index sequence) const { return begin(sequence + 1); }
  Index length(Index sequence) const { return end(sequence) - begin(sequence); }
  Index longest() const { return data_->longest; }
  const std::vector<Index>& offsets() const { return data_->offsets; }

  bool all_count() const { return data_->counted.empty(); }
  bool counts(Index row) const { return data_->counted.empty() || data_->counted[static_cast<std::size_t>(row)] != 0; }
  Index counted() const { return data_->counted_rows; }  // how many rows count

 private:
  struct Data {
    std::vector<Index> offsets;
    std::vector<std::uint8_t> counted;
    Index longest = 0;
    Index counted_rows = 0;
  };
  std::shared_ptr<const Data> data_;  // shared, so that closures keep a Rows for nothing
};

}  // namespace normlab

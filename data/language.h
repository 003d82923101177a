// Language-modelling data: running text, of which each token is predicted from the ones before it.
#pragma once

#include "data.h"

namespace normlab {

// Packed sequences: row r predicts targets[r] from inputs up to r of its own sequence. `rows` is for the model: what
// counts there enters the statistics of norms. What counts in `predicted` enters the loss and is reported. Without
// padding both are the same and all rows count.
struct Batch {
  Tensor inputs;   // i32 [rows]
  Tensor targets;  // i32 [rows]
  Rows rows;
  Rows predicted;
};

class LanguageData : public Data {
 public:
  virtual Index vocabulary_size() const = 0;
  virtual Index longest_sequence() const = 0;  // what a learned position table must hold
  // Batch `index` counted from the start of training; epoch = index / batches_per_epoch(), each in an order of its own.
  virtual Batch training_batch(std::uint64_t index) const = 0;
  // The batches of an evaluation: every token of the split once, in fixed segments, the tail included. In a text cut
  // into sentences blank lines are left out.
  virtual Batch evaluation_batch(Split split, Index index) const = 0;
};

// A kind of data that is text.
struct LanguageDataOptions : DataOptions {
  Content content() const final { return Content::text; }
  std::unique_ptr<Data> load(const std::string& directory, std::uint64_t seed) const final {
    return load_text(directory, seed);
  }
  virtual std::unique_ptr<LanguageData> load_text(const std::string& directory, std::uint64_t seed) const = 0;
};

}  // namespace normlab

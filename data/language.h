// Language-modelling data: what the trainer sees of any corpus. A batch is a function of its index, so that a resumed
// run needs to know one number.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "../engine/fields.h"
#include "../engine/registry.h"
#include "../engine/rows.h"
#include "../engine/tensor.h"

namespace normlab {

enum class Split { train, valid, test };

// Packed sequences: row r predicts targets[r] from inputs up to r of its own sequence. `rows` is for the model: what
// counts there enters the statistics of norms. What counts in `predicted` enters the loss and is reported. Without
// padding both are the same and all rows count.
struct Batch {
  Tensor inputs;   // i32 [rows]
  Tensor targets;  // i32 [rows]
  Rows rows;
  Rows predicted;
};

class LanguageData {
 public:
  virtual ~LanguageData() = default;
  virtual Index vocabulary_size() const = 0;
  virtual Index longest_sequence() const = 0;   // what a learned position table must hold
  virtual Index batches_per_epoch() const = 0;  // of the training split
  // Batch `index` counted from the start of training; epoch = index / batches_per_epoch(), each in an order of its own.
  virtual Batch training_batch(std::uint64_t index) const = 0;
  // Evaluation covers every token of the split once, in fixed segments, the tail included. The training split can be
  // evaluated too. 0 when there is no such split.
  virtual Index evaluation_batches(Split split) const = 0;
  virtual Batch evaluation_batch(Split split, Index index) const = 0;
  // Made-up data knows its own entropy in nats per predicted token on a split: no model can do better in the mean.
  virtual std::optional<double> entropy(Split /*split*/) const { return std::nullopt; }
  // One line about what was read: files, tokens, vocabulary.
  virtual std::string summary() const = 0;
};

// A registered kind of corpus with its options; see registry.h.
struct LanguageDataOptions {
  virtual ~LanguageDataOptions() = default;
  virtual void fields(Fields& f) = 0;
  // Relative file names are looked up in `directory`. `seed` decides order and made-up text.
  virtual std::unique_ptr<LanguageData> load(const std::string& directory, std::uint64_t seed) const = 0;
};
const std::vector<Registered<LanguageDataOptions>>& registered(const LanguageDataOptions*);
using LanguageDataConfig = Choice<LanguageDataOptions>;

}  // namespace normlab

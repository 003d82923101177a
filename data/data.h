// Data: what any training sees of any data set. A batch is a function of its index, so that a resumed run needs to know
// one number.
#pragma once

#include <array>
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
inline constexpr std::array<Split, 3> kSplits = {Split::train, Split::valid, Split::test};
const char* name_of(Split split);

// What a batch holds, and so which models can learn from it: see language.h, translation.h, images.h.
enum class Content { text, sentence_pairs, images };

class Data {
 public:
  virtual ~Data() = default;
  virtual Index batches_per_epoch() const = 0;  // of the training split
  // Evaluation covers all of a split once, in fixed batches. The training split can be evaluated too. 0 when there is
  // no such split.
  virtual Index evaluation_batches(Split split) const = 0;
  // Made-up data knows its own entropy in nats per predicted token on a split: no model can do better in the mean.
  virtual std::optional<double> entropy(Split /*split*/) const { return std::nullopt; }
  // A hash of every token or image of every split, and of the sentences that translations are scored against: where it
  // is the same under the same options, so are all batches.
  virtual std::string fingerprint() const = 0;
  // One line about what was read: files, tokens, vocabulary; or images and their shape.
  virtual std::string summary() const = 0;
};

// A registered kind of data with its options; see registry.h.
struct DataOptions {
  virtual ~DataOptions() = default;
  virtual void fields(Fields& f) = 0;
  virtual Content content() const = 0;
  // Relative file names are looked up in `directory`. `seed` decides order and made-up text.
  virtual std::unique_ptr<Data> load(const std::string& directory, std::uint64_t seed) const = 0;
};
const std::vector<Registered<DataOptions>>& registered(const DataOptions*);
using DataConfig = Choice<DataOptions>;

}  // namespace normlab

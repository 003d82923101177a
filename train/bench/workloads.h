// The fixed workloads of `bench step`: a model, batches of random tokens, and what a step of it cannot do without.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "../../nn/transformer.h"

namespace normlab {

class Workload {
 public:
  virtual ~Workload() = default;
  virtual Module& model() = 0;
  // The mean loss per predicted token of batch `index`, of `batches()` that are taken in turn.
  virtual Tensor loss(std::size_t index, const Pass& pass) = 0;
  virtual std::size_t batches() const { return 1; }
  // Of all batches together: real tokens, and floating-point operations of the matrix products that no way of computing
  // a step can do without, two for each multiply-add, forward once and backward twice.
  virtual double tokens() const = 0;
  virtual double operations() const = 0;
};

struct NamedWorkload {
  std::string name, doc;
  std::unique_ptr<Workload> (*make)(const StackConfig::Recompute& recompute);
};

//   lm          a language model
//   nmt         a translation model, all sentences of one length
//   nmt-ragged  the same with sentences of 4 to 64 tokens, packed
//   attention   one layer of self attention over long sequences: its memory must not grow with the square of length
const std::vector<NamedWorkload>& workloads();

}  // namespace normlab

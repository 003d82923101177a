// What the tests of the translation model translate.
#pragma once

#include "tests/nn/support.h"

namespace normlab {

inline constexpr TranslationExtents kExtents{11, 11, 6, 6};
inline const Pass kTraining{.training = true, .seed = 1, .step = 1, .micro_batch = 0};

// Sources and targets of different lengths, and what the model makes of them.
struct Sentences {
  Rows source_rows = Rows::of_lengths({3, 6, 1}), rows = Rows::of_lengths({4, 1, 3});
  Tensor source = random_ids(10, 11, "source"), inputs = random_ids(8, 11, "inputs"), targets = random_ids(8, 11, "y");

  Tensor logits(const TranslationModel& model, const Pass& pass = {}) const {
    return model.logits(source, source_rows, inputs, rows, pass);
  }
  Tensor loss(const TranslationModel& model, const Pass& pass = {}) const {
    return model.loss(source, source_rows, inputs, rows, pass, targets, 0.1).loss;
  }
};

}  // namespace normlab

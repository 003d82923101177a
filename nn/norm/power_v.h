// PN-V (Shen et al. 2020, section 4.1): batch normalization about zero, by the second moment of the batch.
#pragma once

#include "batch.h"

namespace normlab {

struct PowerVOptions : NormOptions {
  BatchNormSettings settings;

  void fields(Fields& f) override { batch_statistics_fields(f, settings); }
  std::unique_ptr<Norm> make(const Init& init, Index features) const override {
    return std::make_unique<BatchNorm>(init, features, settings, BatchNorm::About::zero);
  }
};

}  // namespace normlab

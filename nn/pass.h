// Pass: what a forward pass is for, and which random numbers it draws.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "../engine/random.h"
#include "../engine/tensor.h"

namespace normlab {

// Given to every module's forward. The default is an evaluation: no dropout, running statistics.
struct Pass {
  bool training = false;
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
  std::uint32_t micro_batch = 0;
  bool batch_statistics = false;             // evaluation by the batch's own statistics instead of the running ones
  std::vector<Tensor>* penalties = nullptr;  // where modules leave what they add to the loss, each a summed scalar

  // The random numbers of this pass for the site of that name, normally a module's path.
  RandomStream stream(std::string_view site) const { return random_stream(seed, site, step, micro_batch); }
};

}  // namespace normlab

// Storage: a block of memory under tensors, and the pool it returns to when its last handle dies.
//
// A training step asks for the same sizes again and again. Freed blocks are kept by size class, so that from the second
// step on nothing is asked of the system. Classes are an eighth of an octave apart; a free block of up to one and a
// half times the need serves a smaller one, so that batches of changing length share memory and the pool stays small.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace normlab {

class Storage {
 public:
  // At least `bytes` bytes, not initialised, aligned for any vector unit. MachineError when the system has no more.
  static std::shared_ptr<Storage> take(std::size_t bytes);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  Storage(void* data, std::size_t bytes) : data_(data), bytes_(bytes) {}
  void* data_;
  std::size_t bytes_;  // of the size class, not of the request
};

// What the pool has done since the program began.
struct PoolCounts {
  std::uint64_t fresh_blocks = 0;  // blocks asked of the system
  std::uint64_t fresh_bytes = 0;
  std::uint64_t served = 0;  // requests, fresh or reused
  std::uint64_t bytes_in_use = 0;
  std::uint64_t peak_bytes_in_use = 0;
};
PoolCounts pool_counts();

// Gives all free blocks back to the system.
void trim_pool();

}  // namespace normlab

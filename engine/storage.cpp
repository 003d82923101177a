// The pool behind Storage: free blocks by size class.
#include "storage.h"

#include <cstdlib>
#include <map>
#include <mutex>
#include <vector>

#include "error.h"

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace normlab {
namespace {

constexpr std::size_t kAlignment = 64;  // a cache line, and the widest vector register
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kLargestRequest = std::size_t{1} << 46;  // 64 TiB: more is surely a slip

// The size class: the next multiple of an eighth of the power of two below.
std::size_t size_class(std::size_t bytes) {
  if (bytes <= 512) return (bytes + kAlignment - 1) / kAlignment * kAlignment;
  std::size_t octave = 512;
  while (octave * 2 < bytes) octave *= 2;
  const std::size_t step = octave / 8;
  return (bytes + step - 1) / step * step;
}

class Pool {
 public:
  void* take(std::size_t bytes, std::size_t& granted) {
    const std::lock_guard lock(mutex_);
    ++counts_.served;
    void* block = nullptr;
    granted = bytes;
    // The smallest free block that is large enough and not more than half as large again.
    const auto found = free_.lower_bound(bytes);
    if (found != free_.end() && found->first <= bytes + bytes / 2) {
      granted = found->first;
      block = found->second.back();
      found->second.pop_back();
      if (found->second.empty()) free_.erase(found);
    } else {
      block = ask_system(bytes);
      ++counts_.fresh_blocks;
      counts_.fresh_bytes += bytes;
    }
    counts_.bytes_in_use += granted;
    if (counts_.bytes_in_use > counts_.peak_bytes_in_use) counts_.peak_bytes_in_use = counts_.bytes_in_use;
    return block;
  }

  void give_back(void* block, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    counts_.bytes_in_use -= bytes;
    free_[bytes].push_back(block);
  }

  void trim() {
    const std::lock_guard lock(mutex_);
    release_all();
  }

  PoolCounts counts() {
    const std::lock_guard lock(mutex_);
    return counts_;
  }

 private:
  void* ask_system(std::size_t bytes) {
    const bool large = bytes >= kHugePage;
    const std::size_t alignment = large ? kHugePage : kAlignment;
    const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    void* block = std::aligned_alloc(alignment, rounded);
    if (!block) {
      release_all();
      block = std::aligned_alloc(alignment, rounded);
    }
    if (!block) {
      throw MachineError(text("memory: the system has no ", bytes, " bytes more (", counts_.bytes_in_use,
                              " in use); use a smaller model or batch"));
    }
#ifdef __linux__
    // Pages of 2 MiB: a quarter of the page faults in the first steps, and fewer addresses to look up in all of them.
    if (large) madvise(block, rounded, MADV_HUGEPAGE);
#endif
    return block;
  }

  void release_all() {
    for (auto& [bytes, blocks] : free_) {
      for (void* block : blocks) std::free(block);
    }
    free_.clear();
  }

  std::mutex mutex_;
  std::map<std::size_t, std::vector<void*>> free_;
  PoolCounts counts_;
};

// Never destroyed: tensors of static lifetime may outlive any other order of destruction.
Pool& pool() {
  static Pool* const the_pool = new Pool;
  return *the_pool;
}

}  // namespace

std::shared_ptr<Storage> Storage::take(std::size_t bytes) {
  check(bytes <= kLargestRequest, "memory: asked for ", bytes, " bytes in one tensor");
  std::size_t granted = 0;
  void* data = pool().take(size_class(bytes ? bytes : 1), granted);
  return std::shared_ptr<Storage>(new Storage(data, granted));
}

Storage::~Storage() { pool().give_back(data_, bytes_); }

PoolCounts pool_counts() { return pool().counts(); }

void trim_pool() { pool().trim(); }

}  // namespace normlab

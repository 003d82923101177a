// A hash of parts (FNV-1a, 64 bits): tells one content from another; not against people who mean harm.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace normlab {

class Hash {
 public:
  // "ab", "c" is another hash than "a", "bc".
  Hash& add(std::string_view part);
  template <class T>
  Hash& add(const std::vector<T>& numbers) {
    return add(std::string_view(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T)));
  }
  std::uint64_t value() const { return hash_; }
  std::string text() const;  // 16 hexadecimal digits

 private:
  std::uint64_t hash_ = 0xCBF29CE484222325u;
};

}  // namespace normlab

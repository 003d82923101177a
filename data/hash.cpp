// FNV-1a: for each byte, exclusive or, then a product.
#include "hash.h"

#include <iomanip>
#include <sstream>

namespace normlab {

Hash& Hash::add(std::string_view part) {
  const auto mix = [this](unsigned char byte) { hash_ = (hash_ ^ byte) * 0x100000001B3u; };
  for (char c : part) mix(static_cast<unsigned char>(c));
  for (std::uint64_t length = part.size(), i = 0; i < 8; ++i) mix(static_cast<unsigned char>(length >> (8 * i)));
  return *this;
}

std::string Hash::text() const {
  std::ostringstream out;
  out << std::hex << std::setw(16) << std::setfill('0') << hash_;
  return out.str();
}

}  // namespace normlab

// Ranges of code points, by the Unicode Character Database.
#include "unicode.h"

#include <algorithm>
#include <iomanip>
#include <iterator>
#include <sstream>

#include "../engine/error.h"

namespace normlab {
namespace {

unsigned byte_at(std::string_view s, std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u; }

struct Range {
  char32_t first, last;
};

template <std::size_t n>
bool within(const Range (&ranges)[n], char32_t c) {
  const auto after = std::upper_bound(std::begin(ranges), std::end(ranges), c,
                                      [](char32_t code, const Range& range) { return code < range.first; });
  return after != std::begin(ranges) && c <= std::prev(after)->last;
}

// Latin, Greek and Cyrillic to U+052F; then whole blocks.
constexpr Range kLetters[] = {
    {'A', 'Z'},         {'a', 'z'},         {0xAA, 0xAA},       {0xB5, 0xB5},      {0xBA, 0xBA},     {0xC0, 0xD6},
    {0xD8, 0xF6},       {0xF8, 0x2C1},      {0x2C6, 0x2D1},     {0x2E0, 0x2E4},    {0x2EC, 0x2EC},   {0x2EE, 0x2EE},
    {0x345, 0x345},     {0x370, 0x374},     {0x376, 0x377},     {0x37A, 0x37D},    {0x37F, 0x37F},   {0x386, 0x386},
    {0x388, 0x38A},     {0x38C, 0x38C},     {0x38E, 0x3A1},     {0x3A3, 0x3F5},    {0x3F7, 0x481},   {0x48A, 0x52F},
    {0x531, 0x588},     {0x591, 0x5F2},     {0x620, 0x65F},     {0x66E, 0x6D3},    {0x6D5, 0x6EF},   {0x6FA, 0x7BF},
    {0x800, 0x963},     {0x971, 0xE3A},     {0xE40, 0xE4E},     {0xE81, 0x1DBF},   {0x1E00, 0x1FFF}, {0x2071, 0x2071},
    {0x207F, 0x207F},   {0x2090, 0x209C},   {0x2160, 0x2188},   {0x24B6, 0x24E9},  {0x2C00, 0x2DFF}, {0x3005, 0x3007},
    {0x3021, 0x3029},   {0x3031, 0x3035},   {0x3041, 0x3096},   {0x309D, 0x309F},  {0x30A1, 0x30FA}, {0x30FC, 0x318E},
    {0x31A0, 0x31BF},   {0x31F0, 0x31FF},   {0x3400, 0x4DBF},   {0x4E00, 0xA48C},  {0xA4D0, 0xABEA}, {0xAC00, 0xD7FB},
    {0xF900, 0xFD3D},   {0xFD50, 0xFDFB},   {0xFE70, 0xFEFC},   {0xFF21, 0xFF3A},  {0xFF41, 0xFF5A}, {0xFF66, 0xFFDC},
    {0x10000, 0x1CFFF}, {0x1D400, 0x1D7CB}, {0x1E000, 0x1EFFF}, {0x20000, 0x3FFFF}};

constexpr Range kDigits[] = {{'0', '9'}, {0x660, 0x669}, {0x6F0, 0x6F9}, {0x966, 0x96F}, {0xFF10, 0xFF19}};

constexpr Range kOtherNumbers[] = {
    {0xB2, 0xB3},     {0xB9, 0xB9},     {0xBC, 0xBE},     {0x2070, 0x2070}, {0x2074, 0x2079},  // ² ³ ¹ ¼ to ⁹
    {0x2080, 0x2089}, {0x2150, 0x2182}, {0x2185, 0x2189}, {0x2460, 0x249B}, {0x24EA, 0x24FF},  // ₀ to ⓿
    {0x2776, 0x2793}, {0x3007, 0x3007}, {0x3021, 0x3029}};                                     // ❶ to 〩

constexpr Range kSpaces[] = {{'\t', '\r'},     {' ', ' '},       {0x85, 0x85},     {0xA0, 0xA0},     {0x1680, 0x1680},
                             {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}};

// Upper-case letters and how far off their lower case is. In a range with step 2 every other code point, the first and
// the last among them, is upper case and stands before its lower case.
struct Case {
  char32_t first, last, step;
  int distance;
};
constexpr Case kCases[] = {
    {'A', 'Z', 1, 32},       {0xC0, 0xD6, 1, 32},     {0xD8, 0xDE, 1, 32},        {0x100, 0x12E, 2, 1},
    {0x130, 0x130, 1, -199}, {0x132, 0x136, 2, 1},    {0x139, 0x147, 2, 1},       {0x14A, 0x176, 2, 1},
    {0x178, 0x178, 1, -121}, {0x179, 0x17D, 2, 1},    {0x370, 0x372, 2, 1},       {0x376, 0x376, 1, 1},
    {0x37F, 0x37F, 1, 116},  {0x386, 0x386, 1, 38},   {0x388, 0x38A, 1, 37},      {0x38C, 0x38C, 1, 64},
    {0x38E, 0x38F, 1, 63},   {0x391, 0x3A1, 1, 32},   {0x3A3, 0x3AB, 1, 32},      {0x3CF, 0x3CF, 1, 8},
    {0x3D8, 0x3EE, 2, 1},    {0x3F4, 0x3F4, 1, -60},  {0x3F7, 0x3F7, 1, 1},       {0x3F9, 0x3F9, 1, -7},
    {0x3FA, 0x3FA, 1, 1},    {0x3FD, 0x3FF, 1, -130}, {0x400, 0x40F, 1, 80},      {0x410, 0x42F, 1, 32},
    {0x460, 0x480, 2, 1},    {0x48A, 0x4BE, 2, 1},    {0x4C0, 0x4C0, 1, 15},      {0x4C1, 0x4CD, 2, 1},
    {0x4D0, 0x52E, 2, 1},    {0x1E00, 0x1E94, 2, 1},  {0x1E9E, 0x1E9E, 1, -7615}, {0x1EA0, 0x1EFE, 2, 1}};

}  // namespace

// The second byte's range rules out overlong forms (E0, F0), surrogates (ED) and code points beyond U+10FFFF (F4).
std::size_t utf8_length(std::string_view s, std::size_t i) {
  const unsigned first = byte_at(s, i), second = byte_at(s, i + 1);
  const auto follows = [&](std::size_t k) { return (byte_at(s, i + k) & 0xC0u) == 0x80u; };
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool fits = second >= (first == 0xE0 ? 0xA0u : 0x80u) && second <= (first == 0xED ? 0x9Fu : 0xBFu);
    return fits && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool fits = second >= (first == 0xF0 ? 0x90u : 0x80u) && second <= (first == 0xF4 ? 0x8Fu : 0xBFu);
    return fits && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

std::optional<std::size_t> find_invalid_utf8(std::string_view s) {
  for (std::size_t i = 0; i < s.size();) {
    const std::size_t length = utf8_length(s, i);
    if (length == 0) return i;
    i += length;
  }
  return std::nullopt;
}

std::string describe_invalid_utf8(std::string_view s, std::size_t at) {
  std::ostringstream out;
  out << "the byte 0x" << std::hex << std::uppercase << std::setw(2) << std::setfill('0') << byte_at(s, at) << std::dec
      << " out of place at byte " << at;
  return out.str();
}

void require_utf8(const char* op, std::string_view s) {
  const auto at = find_invalid_utf8(s);
  if (at) throw Error(text(op, ": must be UTF-8, has ", describe_invalid_utf8(s, *at)));
}

std::u32string decode_utf8(std::string_view s) {
  std::u32string out;
  out.reserve(s.size());
  for (std::size_t i = 0; i < s.size();) {
    const std::size_t length = utf8_length(s, i);
    // The first byte keeps 7 bits when alone, else 7 - length; each that follows has 6.
    char32_t code = byte_at(s, i) & (length == 1 ? 0x7Fu : 0x7Fu >> length);
    for (std::size_t k = 1; k < length; ++k) code = code << 6 | (byte_at(s, i + k) & 0x3Fu);
    out += code;
    i += length;
  }
  return out;
}

std::string encode_utf8(std::u32string_view s) {
  std::string out;
  out.reserve(s.size());
  const auto put = [&](char32_t byte) { out += static_cast<char>(byte); };
  for (char32_t c : s) {
    if (c < 0x80) {
      put(c);
      continue;
    }
    const unsigned rest = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;  // bytes after the first
    put((0xF0u << (3 - rest) & 0xFFu) | c >> 6 * rest);
    for (unsigned k = rest; k-- > 0;) put(0x80u | (c >> 6 * k & 0x3Fu));
  }
  return out;
}

bool is_space(char32_t c) { return within(kSpaces, c); }
bool is_letter(char32_t c) { return within(kLetters, c); }
bool is_digit(char32_t c) { return within(kDigits, c); }
bool is_number(char32_t c) { return is_digit(c) || within(kOtherNumbers, c); }

char32_t to_lower(char32_t c) {
  for (const Case& upper : kCases) {
    if (c < upper.first) break;
    if (c > upper.last || (c - upper.first) % upper.step != 0) continue;
    return static_cast<char32_t>(static_cast<int>(c) + upper.distance);
  }
  return c;
}

// Takes ʹ, ϒ, ϓ and ϔ for lower case too.
bool is_lower(char32_t c) {
  const bool has_case = c < 0x180 || (c >= 0x370 && c < 0x530) || (c >= 0x1E00 && c < 0x1F00);
  return has_case && is_letter(c) && to_lower(c) == c;
}

std::string lowercase(std::string_view s) {
  require_utf8("lowercase", s);
  std::u32string characters = decode_utf8(s);
  for (char32_t& c : characters) c = to_lower(c);
  return encode_utf8(characters);
}

}  // namespace normlab

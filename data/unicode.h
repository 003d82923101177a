// Unicode: UTF-8 in and out, and what a tokenizer asks about a character: letter, number, space, case.
//
// Exact up to U+052F (Latin, IPA, Greek, Cyrillic) and for U+1E00 to U+1EFF (Vietnamese and others); elsewhere a block
// is taken as a whole to be letters or not. Case is known of Latin-1, Latin Extended-A, Greek, Cyrillic and U+1E00 to
// U+1EFF; other letters have none.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace normlab {

// Bytes of the well-formed UTF-8 sequence that begins at s[i] (the Unicode Standard, table 3-7), or 0.
std::size_t utf8_length(std::string_view s, std::size_t i);

// Where the first byte stands that belongs to no well-formed sequence.
std::optional<std::size_t> find_invalid_utf8(std::string_view s);

// That byte for a message: "the byte 0xE9 out of place at byte 5".
std::string describe_invalid_utf8(std::string_view s, std::size_t at);

// Error "op: must be UTF-8, has the byte …" when `s` is not; the caller adds file and line.
void require_utf8(const char* op, std::string_view s);

std::u32string decode_utf8(std::string_view s);  // of what is UTF-8
std::string encode_utf8(std::u32string_view s);

bool is_space(char32_t c);   // Unicode's White_Space
bool is_letter(char32_t c);  // Alphabetic
bool is_digit(char32_t c);   // a decimal digit (Nd): 0-9, and those of other scripts
bool is_number(char32_t c);  // digits, and fractions, superscripts and the like (N)
bool is_lower(char32_t c);   // a lower-case letter of what the head of this file lists
char32_t to_lower(char32_t c);

// Every letter in lower case. Error when `s` is not UTF-8.
std::string lowercase(std::string_view s);

}  // namespace normlab

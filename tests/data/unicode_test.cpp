// UTF-8 in and out, and what is known of characters.
#include "data/unicode.h"

#include <numeric>

#include "tests/data/files.h"
#include "tests/support/catch.h"

using namespace normlab;

namespace {

// Calls visit for every code point of which case, letters and numbers are known exactly.
template <class Visit>
void for_each_known(Visit visit) {
  for (char32_t c = 0; c < 0x530; ++c) visit(c);
  for (char32_t c = 0x1E00; c < 0x1F00; ++c) visit(c);
}

struct Census {
  long count = 0, sum = 0;
  void add(char32_t c) { ++count, sum += static_cast<long>(c); }
  bool operator==(const Census&) const = default;
};

}  // namespace

TEST_CASE("UTF-8 is read and written back") {
  const std::u32string characters = U"a\u007F\u0080é\u07FF\u0800€\uD7FF\uE000\uFFFF\U00010000😀\U0010FFFF";
  const std::string bytes =
      "a\x7F\xC2\x80\xC3\xA9\xDF\xBF\xE0\xA0\x80\xE2\x82\xAC\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF"
      "\xF0\x90\x80\x80\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF";
  CHECK(decode_utf8(bytes) == characters);
  CHECK(encode_utf8(characters) == bytes);
  CHECK(!find_invalid_utf8(bytes));
}

TEST_CASE("a byte out of place is named") {
  CHECK(find_invalid_utf8("ab \xE9t") == 3u);
  CHECK(message_of([] { lowercase("für \xFC"); }) ==
        "lowercase: must be UTF-8, has the byte 0xFC out of place at byte 5");
}

TEST_CASE("lower case of Latin, Greek and Cyrillic") {
  CHECK(lowercase("ÄÖÜẞ ÉÇÅØ ŁŹŠŐĞ ŸÞ×÷ß") == "äöüß éçåø łźšőğ ÿþ×÷ß");
  CHECK(lowercase("ΆΈΌΏ ΑΒΓΣΩΪ σς ЁЉЏ АБВЯ ҐӀӁӘ") == "άέόώ αβγσωϊ σς ёљџ абвя ґӏӂә");
  CHECK(lowercase("İ") == "i");
  CHECK(lowercase("ẠẾỸ Ḃ") == "ạếỹ ḃ");
  CHECK(lowercase("a 1 漢 😀 \t") == "a 1 漢 😀 \t");
  for (char32_t lower : U"aßäÿąſµªαςάяёѓҝ") CHECK((lower == 0 || is_lower(lower)));
  for (char32_t other : U"AÄŸĄΑΆЯЁҜ1.漢א") CHECK(!is_lower(other));
}

TEST_CASE("letters, numbers and spaces are those of Unicode") {  // counted with Perl 5.36, Unicode 14
  Census letters, digits, numbers, spaces, lowered;
  for_each_known([&](char32_t c) {
    if (is_letter(c)) letters.add(c);
    if (is_digit(c)) digits.add(c);
    if (is_number(c)) numbers.add(c);
    if (is_space(c)) spaces.add(c);
    if (to_lower(c) != c && (c < 0x180 || c >= 0x370)) lowered.add(to_lower(c));
  });
  CHECK(letters == Census{1268, 2720295});
  CHECK(digits == Census{10, 525});
  CHECK(numbers == Census{16, 1634});
  CHECK(spaces == Census{8, 380});
  CHECK(lowered == Census{448, 1220429});
  for (char32_t c : U"漢かカ한עقकกაⅣ") CHECK((c == 0 || is_letter(c)));
  for (char32_t c : U"–„“”…€™→☃😀。「」！\u200B") CHECK(!is_letter(c));
  for (char32_t c : U"²½⅓④٣７") CHECK((c == 0 || is_number(c)));
  CHECK(!is_digit(U'²'));
  for (char32_t c : U"\u00A0\u2009\u202F\u3000\u2028") CHECK((c == 0 || is_space(c)));
  CHECK(!is_space(U'\u200B'));
}

// Cutting text into words or characters, and giving them ids.
#include "data/vocabulary.h"

#include "tests/data/files.h"
#include "tests/support/catch.h"

using namespace normlab;

namespace {

const TextRules kWords{TextUnit::word, false};
const TextRules kCharacters{TextUnit::character, false};
using Strings = std::vector<std::string>;
using Ids = std::vector<std::int32_t>;

Strings units(const std::string& text, const TextRules& rules) {
  Strings out;
  for_each_unit(text, rules, "t", [&](std::string_view unit, Index line) {
    out.push_back(std::string(unit) + "@" + std::to_string(line));
  });
  return out;
}

}  // namespace

TEST_CASE("words stand between blanks and every line ends in <eos>") {
  CHECK(units(" a  b\t\n\nc", kWords) == Strings{"a@1", "b@1", "<eos>@1", "<eos>@2", "c@3", "<eos>@3"});
  CHECK(units("a\r\nb\r\n", kWords) == Strings{"a@1", "<eos>@1", "b@2", "<eos>@2"});
  CHECK(units("Straße ÄB", {TextUnit::word, true}) == Strings{"straße@1", "Äb@1", "<eos>@1"});
}

TEST_CASE("characters are code points") {
  CHECK(units("aé\n€ 😀\r\n", kCharacters) == Strings{"a@1", "é@1", "<eos>@1", "€@2", " @2", "😀@2", "<eos>@2"});
}

TEST_CASE("bytes that are no UTF-8 are an error with byte and line") {
  const auto message = [](const std::string& bytes) {
    return message_of([&] { units(bytes, kWords); });
  };
  CHECK(message("ab\nc \xE9t\xE9\n") ==
        "text file t: must be UTF-8, has the byte 0xE9 out of place at byte 5, line 2; convert it, for example with "
        "iconv -t UTF-8");
  // Lone continuation, overlong forms, a surrogate, beyond U+10FFFF, cut short.
  for (const char* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
                          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\xF0\x9F\x98", "\xC3"}) {
    CHECK_THAT(message(bad), ContainsSubstring("out of place at byte 0, line 1"));
  }
  // The first and last code points of each length are fine.
  for (const char* good : {"\x01", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    CHECK(units(good, kCharacters).size() == 2);
  }
}

TEST_CASE("ids go by frequency, then first occurrence") {
  const std::string text = "b a c\na d c\n";  // a 2, c 2, <eos> 2, b 1, d 1
  CHECK(Vocabulary::build(text, kWords, "t").entries() == Strings{"a", "c", "<eos>", "b", "d"});
  CHECK(Vocabulary::build(text, kWords, "t", {0, 1, true}).entries() == Strings{"<eos>", "a", "b", "c", "d"});
}

TEST_CASE("what the limits leave out becomes <unk>") {
  const std::string text = "b a c\na d c\n";
  const Vocabulary frequent = Vocabulary::build(text, kWords, "t", {0, 2, false});
  CHECK(frequent.entries() == Strings{"a", "c", "<eos>", "<unk>"});
  CHECK(frequent.encode("a b\nd\n", kWords, "t") == Ids{0, 3, 2, 3, 2});
  CHECK(Vocabulary::build(text, kWords, "t", {3, 1, false}).entries() == Strings{"a", "<eos>", "<unk>"});
  CHECK(Vocabulary::build(text, kWords, "t", {5, 1, false}).entries() == Strings{"a", "c", "<eos>", "b", "d"});
  // A text that has <unk> of its own keeps its place.
  CHECK(Vocabulary::build("<unk> <unk> a b b b\n", kWords, "t", {3, 1, false}).entries() ==
        Strings{"b", "<unk>", "<eos>"});
}

TEST_CASE("a word outside the vocabulary is <unk>, or an error that names it") {
  const Vocabulary with = Vocabulary::build("a <unk>\n", kWords, "train");
  CHECK(with.encode("a z\n", kWords, "t") == Ids{0, 1, 2});
  CHECK(message_of([&] { with.encode("a\na z\n", kWords, "t", false); }) ==
        "text file t, line 2: every word must be in the training text's vocabulary, \"z\" is not; set \"unknown\" to "
        "\"unk\" to read it as <unk>");
  const Vocabulary without = Vocabulary::build("a b\n", kWords, "train");
  CHECK(without.unknown() == -1);
  CHECK(message_of([&] { without.encode("z\n", kWords, "t"); }) ==
        "text file t, line 1: every word must be in the training text's vocabulary, \"z\" is not; make the training "
        "text hold <unk>, or set minimum_count or largest_vocabulary so that rare ones become <unk>");
}

TEST_CASE("a text of blank lines has no vocabulary; entries differ") {
  CHECK(message_of([] { Vocabulary::build(" \n\n", kWords, "t"); }) ==
        "text file t: must hold at least one word, has only blank lines");
  CHECK(message_of([] { Vocabulary({"a", "b", "a"}); }) == "vocabulary: entries must differ, \"a\" stands at 0 and 2");
}

// The tokenizer rule by rule, the way back, and Multi30k as its authors tokenized it.
#include "data/tokenizer.h"

#include <cstdlib>
#include <filesystem>

#include "data/text_file.h"
#include "data/unicode.h"
#include "tests/data/files.h"
#include "tests/support/catch.h"

using namespace normlab;

namespace {

std::string english(const std::string& line) { return tokenize(line, {.escape = false}); }
std::string german(const std::string& line) { return tokenize(line, {.language = Language::german, .escape = false}); }

std::vector<std::string> lines_of(const std::string& path) {
  std::istringstream in(read_text(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("punctuation stands by itself, hyphens stay") {
  CHECK(english("Hello, world! (Yes; no?) \"a/b\": 5% of $3 = a_b") ==
        "Hello , world ! ( Yes ; no ? ) \" a / b \" : 5 % of $ 3 = a _ b");
  CHECK(english("well-known -- 3-4 `so'") == "well-known -- 3-4 `so'");
  CHECK(german("Größe „Ärger“ – naïve Ёж λόγος 漢字。") == "Größe „ Ärger “ – naïve Ёж λόγος 漢字 。");
  CHECK(english("CO₂ m² x½") == "CO ₂ m ² x ½");
  CHECK(english("  a\tb\u00A0c \x01"
                "d\r\n") == "a b c d");
  CHECK(english("") == "");
  CHECK(english(" \t") == "");
}

TEST_CASE("hyphens between letters and digits are cut off when asked for") {
  CHECK(tokenize("well-known T-4 a-b-c - x- -y a--b", {.split_hyphens = true}) ==
        "well @-@ known T @-@ 4 a @-@ b @-@ c - x- -y a--b");
}

TEST_CASE("runs of dots stay together, a comma between numbers stays") {
  CHECK(english("Well... no..yes ....") == "Well ... no .. yes ....");
  CHECK(english("5,300 a,b 5,b a,5 1,,2 3,") == "5,300 a , b 5 , b a , 5 1 , , 2 3 ,");
  CHECK(english("Ⅳ,Ⅴ ½,½ ,5") == "Ⅳ,Ⅴ ½ , ½ , 5");
  CHECK(english(",5") == ",5");
}

TEST_CASE("English contractions are cut before the apostrophe, German apostrophes stand by themselves") {
  CHECK(english("don't it's Jones' dogs 'quoted' word.") == "don 't it 's Jones ' dogs ' quoted ' word .");
  CHECK(english("the 1990's '90s 5'6 rock'n'roll") == "the 1990 's ' 90s 5 ' 6 rock 'n'roll");
  CHECK(english("'Tis the dogs'") == "'Tis the dogs'");
  CHECK(english("He said 'no.'") == "He said ' no . '");
  CHECK(english("so .'") == "so . '");
  CHECK(english("no ''a'' b") == "no ' ' a ' ' b");
  CHECK(german("Wie geht's, Jens' Hund?") == "Wie geht ' s , Jens ' Hund ?");
}

TEST_CASE("a full stop stays with an abbreviation, before a small letter and with ordinals") {
  CHECK(english("Mr. Smith and J. R. met Dr. No. Then all.") == "Mr. Smith and J. R. met Dr. No . Then all .");
  CHECK(english("See No. 5 on p. 3 at 7 p.m. Then U.S. troops etc. and so on.") ==
        "See No. 5 on p . 3 at 7 p.m. Then U.S. troops etc. and so on .");
  CHECK(english("It ends with Dr.") == "It ends with Dr .");
  CHECK(english("The 3. Then 2.5. Or v1.0. So") == "The 3 . Then 2.5 . Or v1.0. So");
  CHECK(german("Am 3. Mai kam z.B. Dr. Karl XII. Wasa bzw. Nr. Zwei.") ==
        "Am 3. Mai kam z.B. Dr. Karl XII. Wasa bzw. Nr. Zwei .");
  CHECK(german("Es war 1999. Dann 100. Und 0. Ja a. B.") == "Es war 1999 . Dann 100 . Und 0 . Ja a. B .");
  CHECK(german("Das Ende. Äpfel. äpfel.") == "Das Ende . Äpfel. äpfel .");
}

TEST_CASE("marks with a meaning in other formats are escaped") {
  CHECK(tokenize("a & b | c < d > e's \"f\" [g]", {}) ==
        "a &amp; b &#124; c &lt; d &gt; e &apos;s &quot; f &quot; &#91; g &#93;");
  CHECK(tokenize("&amp;", {}) == "&amp; amp ;");
  CHECK(detokenize("&amp;lt; &#91; a &#93; &lt;", {}) == "&lt; [a] <");
}

TEST_CASE("typographic punctuation is made plain") {
  const auto plain = [](const std::string& line) { return normalize_punctuation(line, Language::english); };
  CHECK(plain("“a” „b“ «c» ‘d’ it’s ‚e´ `f`") == "\"a\" \"b\" \"c\" 'd' it's 'e' 'f'");
  CHECK(plain("a–b a—b…\u00A0c ''d''") == "a-b a - b... c \"d\"");
  CHECK(plain("\"a\", \"b\". \"c\"... \"d\" .") == "\"a,\" \"b.\" \"c...\" \"d\" .");
  CHECK(normalize_punctuation("„a,“ „b.“ „c...“ „d“.", Language::german) == "\"a\", \"b\". \"c\"... \"d\".");
}

TEST_CASE("the way back joins what was cut") {
  for (const char* line : {
           "Hello, world! (Yes; no?) \"It's 5% of $3,\" he said... [a] {b}",
           "We don't know the Jones' dogs' names; the 1990's: 'quoted' words.",
           "A “quoted” ‘word’ and don’t, I’ve, they’re.",
           "“An open quote. “Another” of the dogs’ names.",
           "It is 3:30 and/or #8 of well-known T-shirts.",
       }) {
    for (bool hyphens : {false, true}) {
      const TokenizerRules rules{.split_hyphens = hyphens};
      CHECK(detokenize(tokenize(line, rules), rules) == line);
    }
  }
  const TokenizerRules rules{.language = Language::german};
  for (const char* line : {
           "„Wie geht's?“, fragte Jens' Mutter am 3. Mai.",
           "Das \"Incredible Hulk\"-Spielzeug und die „Open“-Anzeige kosten 10 $ mehr.",
           "Das McDonald's-Menü.",
           "Er (der Mann) kam z.B. um 9:15 Uhr: zu spät!",
       }) {
    CHECK(detokenize(tokenize(line, rules), rules) == line);
  }
  CHECK(detokenize("", rules) == "");
}

TEST_CASE("languages are en and de; a line that is no UTF-8 names its byte") {
  CHECK(language_named("de") == Language::german);
  CHECK(language_named("en") == Language::english);
  CHECK(message_of([] { language_named("fr"); }) == "language: must be \"en\" or \"de\", got \"fr\"");
  CHECK(message_of([] { tokenize("ab\xFF", {}); }) ==
        "tokenize: must be UTF-8, has the byte 0xFF out of place at byte 2");
  CHECK_THAT(message_of([] { detokenize("&amp; \xFF", {}); }), ContainsSubstring("0xFF out of place at byte 6"));
  CHECK_THAT(message_of([] { normalize_punctuation("\xE2\x80", Language::english); }),
             ContainsSubstring("0xE2 out of place at byte 0"));
}

TEST_CASE("Multi30k is tokenized as its authors did", "[slow]") {
  const char* directory = std::getenv("NORMLAB_DATA");
  if (directory == nullptr) {
    WARN("NORMLAB_DATA is not set to a folder that holds multi30k.de-en/: Multi30k is NOT tested");
    return;
  }
  const std::filesystem::path folder = std::filesystem::path(directory) / "multi30k.de-en";
  for (const std::string language : {"de", "en"}) {
    for (const std::string split : {"train", "val", "test_2016_flickr"}) {
      const auto raw = lines_of((folder / "raw" / (split + "." + language)).string());
      const auto tokenized = lines_of((folder / "tok" / (split + ".lc.norm.tok." + language)).string());
      REQUIRE(raw.size() == tokenized.size());
      const TokenizerRules rules{.language = language_named(language)};
      std::size_t lower_first = 0, lower_last = 0, back = 0;
      for (std::size_t i = 0; i < raw.size(); ++i) {
        const auto plain_tokens = [&](const std::string& line) {
          return tokenize(normalize_punctuation(line, rules.language), rules);
        };
        lower_first += plain_tokens(lowercase(raw[i])) == tokenized[i];
        lower_last += lowercase(plain_tokens(raw[i])) == tokenized[i];
        back += detokenize(tokenize(raw[i], rules), rules) == raw[i];
      }
      const auto lines = static_cast<double>(raw.size());
      INFO(language << " " << split);
      CHECK(static_cast<double>(lower_first) >= 0.999 * lines);  // as the authors did it
      CHECK(static_cast<double>(lower_last) >= 0.997 * lines);
      CHECK(static_cast<double>(back) >= 0.99 * lines);
    }
  }
}

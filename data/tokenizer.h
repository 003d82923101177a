// Tokenizer: raw English or German text to words and punctuation between single blanks, and back.
//
// The rules are those of the Moses tokenizer (Koehn et al. 2007; scripts/tokenizer/tokenizer.perl), which prepared
// Multi30k and IWSLT14. Where they look at letters, numbers and case, unicode.h says what these are.
#pragma once

#include <string>
#include <string_view>

namespace normlab {

enum class Language { english, german };

// Of "en" or "de". Error for any other name.
Language language_named(const std::string& name);

struct TokenizerRules {
  Language language = Language::english;
  bool split_hyphens = false;  // "well-known" to "well @-@ known" (Moses: -a, aggressive)
  bool escape = true;          // & | < > ' " [ ] as &amp; &#124; &lt; &gt; &apos; &quot; &#91; &#93;
};

// One line with its typographic punctuation made plain: quotes of all kinds as " or ', dashes as -, an ellipsis as
// three dots, no-break spaces as spaces; and a comma or full stop beside a closing quote inside it in English, outside
// in German. Error when the line is not UTF-8.
std::string normalize_punctuation(std::string_view line, Language language);

// The tokens of one line with single blanks between them; "" of a blank line. In order:
//   - Control characters go. Everything but letters, digits and . , ' ` - is a token of its own.
//   - Two dots or more are one token. A comma stands by itself unless it is between two numbers (5,300).
//   - Apostrophes: in English a contraction is cut before it (don 't), other apostrophes stand by themselves; in
//     German all do.
//   - A full stop at the end of a word stands by itself, but not before a word in lower case, nor after an
//     abbreviation: a short list of each language, single letters (English: capitals), words with dots such as z.B.,
//     English No. before a digit, German 1. to 99. and Roman numerals. At the end of the line it always does.
// Error when the line is not UTF-8.
std::string tokenize(std::string_view line, const TokenizerRules& rules);

// The inverse, so far as blanks can be guessed: punctuation is joined to what it stands beside, straight quotes open
// and close in turn, escapes are undone. detokenize(tokenize(x)) is x for most sentences. Error when not UTF-8.
std::string detokenize(std::string_view line, const TokenizerRules& rules);

}  // namespace normlab

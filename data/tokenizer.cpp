// Each rule is one walk over the characters of a line; blanks are put around what is to stand by itself, and what there
// is of them too many goes when the line is cut into words.
#include "tokenizer.h"

#include <algorithm>
#include <array>
#include <vector>

#include "../engine/error.h"
#include "unicode.h"

namespace normlab {
namespace {

using Line = std::u32string;
using View = std::u32string_view;

Line decode(const char* op, std::string_view line) {
  require_utf8(op, line);
  return decode_utf8(line);
}

bool is_alphanumeric(char32_t c) { return is_letter(c) || is_digit(c); }

std::vector<Line> words_of(View line) {
  std::vector<Line> words;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (is_space(line[i])) continue;
    if (i == 0 || is_space(line[i - 1])) words.emplace_back();
    words.back() += line[i];
  }
  return words;
}

Line join(const std::vector<Line>& words) {
  Line out;
  for (const Line& word : words) {
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

// ---- Punctuation made plain ----

struct Plain {
  View marks;
  View plain;
};
constexpr std::array kPlainMarks = {Plain{U"„“”«»", U"\""}, Plain{U"‘’‚´`", U"'"}, Plain{U"–", U"-"},
                                    Plain{U"—", U" - "},    Plain{U"…", U"..."},   Plain{U"\u00A0\u202F", U" "}};

Line with_plain_marks(View line) {
  Line out;
  for (char32_t c : line) {
    const auto has_mark = [=](const Plain& p) { return p.marks.find(c) != View::npos; };
    const auto found = std::find_if(kPlainMarks.begin(), kPlainMarks.end(), has_mark);
    out += found == kPlainMarks.end() ? View(&c, 1) : found->plain;
  }
  return out;
}

void replace_all(Line& line, View from, View to) {
  for (std::size_t i = line.find(from); i != Line::npos; i = line.find(from, i + to.size())) {
    line.replace(i, from.size(), to);
  }
}

// Where a quote and the run of stops beside it meet, English has the stops first: "so". to "so."
void put_stops_before_quotes(Line& line) {
  const auto is_stop = [](char32_t c) { return c == ',' || c == '.'; };
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '"') continue;
    const std::size_t quote = i;
    while (i + 1 < line.size() && is_stop(line[i + 1])) ++i;
    line.erase(quote, 1).insert(i, 1, '"');
  }
}

// German has the stops last: "so," to "so", and "so." to "so".
void put_stops_after_quotes(Line& line) {
  replace_all(line, U",\"", U"\",");
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '.') continue;
    const std::size_t stops = i;
    while (i + 1 < line.size() && line[i + 1] == '.') ++i;
    if (i + 1 < line.size() && line[i + 1] == '"') line.erase(++i, 1).insert(stops, 1, '"');
  }
}

// ---- Tokens ----

Line separate_punctuation(View line) {
  Line out;
  for (char32_t c : line) {
    const bool part_of_word = is_alphanumeric(c) || View(U".,'`-").find(c) != View::npos;
    if (is_space(c)) {
      out += ' ';
    } else if (part_of_word) {
      out += c;
    } else if (c >= 0x20) {
      out.append({' ', c, ' '});
    }
  }
  return out;
}

Line split_hyphens(View line) {
  Line out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool within = i > 0 && i + 1 < line.size() && is_alphanumeric(line[i - 1]) && is_alphanumeric(line[i + 1]);
    if (line[i] == '-' && within) {
      out += U" @-@ ";
    } else {
      out += line[i];
    }
  }
  return out;
}

Line separate_dots(View line) {
  Line out;
  for (std::size_t i = 0; i < line.size();) {
    const std::size_t end = std::min(line.find_first_not_of(U'.', i), line.size());
    if (end >= i + 2) {
      out.append(1, ' ').append(line.substr(i, end - i)).append(1, ' ');
      i = end;
    } else {
      out += line[i++];
    }
  }
  return out;
}

Line separate_commas(View line) {
  Line out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool after_number = i == 0 || is_number(line[i - 1]);
    const bool in_number = after_number && i + 1 < line.size() && is_number(line[i + 1]);
    if (line[i] == ',' && !in_number) {
      out += U" , ";
    } else {
      out += line[i];
    }
  }
  return out;
}

// "x'y" to "x 'y", or to "x ' y", where x and y are as asked. As in a regular expression a y is not an x again: of
// rock'n'roll only the first apostrophe is cut off.
template <class Left, class Right>
Line split_apostrophes(View line, Left left, Right right, View replacement) {
  Line out;
  for (std::size_t i = 0; i < line.size();) {
    if (i + 2 < line.size() && line[i + 1] == '\'' && left(line[i]) && right(line[i + 2])) {
      out.append(1, line[i]).append(replacement).append(1, line[i + 2]);
      i += 3;
    } else {
      out += line[i++];
    }
  }
  return out;
}

Line separate_english_apostrophes(View line) {
  const auto letter = [](char32_t c) { return is_letter(c); };
  const auto number = [](char32_t c) { return is_number(c); };
  const auto no_letter = [](char32_t c) { return !is_letter(c); };
  const auto neither = [](char32_t c) { return !is_letter(c) && !is_number(c); };
  const auto s = [](char32_t c) { return c == 's'; };
  Line out = split_apostrophes(line, no_letter, no_letter, U" ' ");
  out = split_apostrophes(out, neither, letter, U" ' ");
  out = split_apostrophes(out, letter, no_letter, U" ' ");
  out = split_apostrophes(out, letter, letter, U" '");
  return split_apostrophes(out, number, s, U" '");  // 1990's
}

// Abbreviations after which a full stop does not end a sentence.
constexpr std::array kEnglishAbbreviations = {"Mr",   "Mrs", "Ms",  "Dr",  "Prof", "Rev", "St",  "Sr",  "Gen", "Col",
                                              "Capt", "Lt",  "Sgt", "Maj", "Gov",  "Sen", "Rep", "Hon", "Jan", "Feb",
                                              "Mar",  "Apr", "Jun", "Jul", "Aug",  "Sep", "Oct", "Nov", "Dec", "vs"};
constexpr std::array kEnglishBeforeNumbers = {"No", "Art", "pp"};
constexpr std::array kGermanAbbreviations = {"Dr",  "Prof", "Hr",  "Fr",  "St",  "Mr",   "Mrs",  "Nr",  "bzw", "usw",
                                             "vgl", "evtl", "ggf", "etc", "sog", "bzgl", "dgl",  "ca",  "Mio", "Mrd",
                                             "Chr", "Std",  "Jan", "Feb", "Apr", "Aug",  "Sept", "Okt", "Nov", "Dez"};

template <class List, class Word>
bool contains(const List& list, const Word& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// Does the full stop after `word` belong to it, when `next` follows?
bool keeps_stop(View word, View next, Language language) {
  const auto all = [&](View characters) { return word.find_first_not_of(characters) == View::npos; };
  const bool has_letter = std::any_of(word.begin(), word.end(), is_letter);
  if (is_lower(next[0]) || (has_letter && word.find(U'.') != View::npos)) return true;
  const bool ascii_letter = word.size() == 1 && has_letter && word[0] < 0x80;
  const std::string name = encode_utf8(word);
  if (language == Language::german) {
    const bool ordinal = word.size() <= 2 && word[0] != '0' && all(U"0123456789");
    return ordinal || ascii_letter || all(U"IVX") || contains(kGermanAbbreviations, name);
  }
  const bool before_number = next[0] >= '0' && next[0] <= '9';
  return (ascii_letter && !is_lower(word[0])) || contains(kEnglishAbbreviations, name) ||
         (before_number && contains(kEnglishBeforeNumbers, name));
}

std::vector<Line> separate_stops(const std::vector<Line>& words, Language language) {
  std::vector<Line> out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const View word = words[i];
    const View before = word.substr(0, word.size() - 1);
    const bool last = i + 1 == words.size();
    const bool stop = word.size() > 1 && word.back() == '.' && word[0] != '.';
    if (stop && (last || !keeps_stop(before, words[i + 1], language))) {
      out.emplace_back(before);
      out.emplace_back(U".");
    } else if (last && word.size() > 1 && word.substr(word.size() - 2) == U".'") {
      if (word.size() > 2) out.emplace_back(word.substr(0, word.size() - 2));
      out.emplace_back(U".");
      out.emplace_back(U"'");
    } else {
      out.push_back(words[i]);
    }
  }
  return out;
}

// ---- Escapes ----

struct Escape {
  char32_t plain;
  View escaped;
};
constexpr std::array kEscapes = {Escape{'&', U"&amp;"}, Escape{'|', U"&#124;"},  Escape{'<', U"&lt;"},
                                 Escape{'>', U"&gt;"},  Escape{'\'', U"&apos;"}, Escape{'"', U"&quot;"},
                                 Escape{'[', U"&#91;"}, Escape{']', U"&#93;"}};

Line escape(View line) {
  Line out;
  for (char32_t c : line) {
    const auto found = std::find_if(kEscapes.begin(), kEscapes.end(), [=](const Escape& e) { return e.plain == c; });
    out += found == kEscapes.end() ? View(&c, 1) : found->escaped;
  }
  return out;
}

Line unescape(View line) {
  Line out;
  for (std::size_t i = 0; i < line.size();) {
    const auto begins = [&](const Escape& e) { return line.substr(i).starts_with(e.escaped); };
    const auto found = std::find_if(kEscapes.begin(), kEscapes.end(), begins);
    out += found == kEscapes.end() ? line[i] : found->plain;
    i += found == kEscapes.end() ? 1 : found->escaped.size();
  }
  return out;
}

// ---- Blanks taken out again ----

// The neighbours that a token is joined to.
enum class Joint { none, before, after, both };

class Joiner {
 public:
  Joiner(const std::vector<Line>& words, Language language) : words_(words), english_(language == Language::english) {}

  Line join_all() {
    Line out;
    bool joined = true;
    for (std::size_t i = 0; i < words_.size(); ++i) {
      const Joint joint = joint_of(i);
      if (!joined && joint != Joint::before && joint != Joint::both) out += ' ';
      out += words_[i] == U"@-@" ? U"-" : View(words_[i]);
      joined = joint == Joint::after || joint == Joint::both;
    }
    return out;
  }

 private:
  View previous(std::size_t i) const { return i > 0 ? View(words_[i - 1]) : View(); }
  View next(std::size_t i) const { return i + 1 < words_.size() ? View(words_[i + 1]) : View(); }
  static bool begins(View word, bool (*kind)(char32_t)) { return !word.empty() && kind(word.front()); }
  static bool ends(View word, bool (*kind)(char32_t)) { return !word.empty() && kind(word.back()); }
  static bool consists_of(View word, View characters) { return word.find_first_not_of(characters) == View::npos; }

  Joint joint_of(std::size_t i) {
    const View word = words_[i];
    const bool between_digits = ends(previous(i), is_digit) && begins(next(i), is_digit);
    if (word == U"@-@" || word == U"/" || (word == U":" && between_digits)) return Joint::both;
    if (word == U"#") return begins(next(i), is_digit) ? Joint::after : Joint::none;
    if (consists_of(word, U"$€£")) return ends(previous(i), is_digit) ? Joint::none : Joint::after;
    if (consists_of(word, U"([{¿¡")) return Joint::after;
    if (consists_of(word, U".,?!:;%)]}\\…")) return Joint::before;
    if (consists_of(word, U"'’‘‚")) return apostrophe(i);
    if (consists_of(word, U"\"`„“”«»")) return quote(word, open_double_);
    const bool cut_off = word.size() > 1 && is_letter(word[1]);
    if (word[0] == '\'' && cut_off && english_ && ends(previous(i), is_alphanumeric)) return Joint::before;  // 's
    if (word[0] == '-' && cut_off && consists_of(previous(i), U"\"'“”’»)")) return Joint::before;  // "Hulk"-Figur
    return Joint::none;
  }

  // Within a word, after one, or a quote.
  Joint apostrophe(std::size_t i) {
    static const std::array contractions = {View(U"s"),  View(U"t"),  View(U"m"), View(U"d"),
                                            View(U"re"), View(U"ve"), View(U"ll")};
    const View word = words_[i], rest = next(i).substr(0, next(i).find(U'-'));
    if (ends(previous(i), is_alphanumeric) && contains(contractions, rest)) return Joint::both;
    const bool possessive = english_ && previous(i).ends_with('s');
    const bool closed_later = std::count(words_.begin() + static_cast<std::ptrdiff_t>(i), words_.end(), word) > 1;
    const bool may_open = word != U"'" || (!possessive && closed_later);
    return open_single_ || may_open ? quote(word, open_single_) : Joint::before;
  }

  // Opening and closing, in turn where the mark itself does not say.
  Joint quote(View word, bool& open) const {
    const bool opening = word == U"„" || word == U"‚" || (english_ && (word == U"“" || word == U"‘"));
    const bool closing = word == U"”" || word == U"’";
    open = opening || (!closing && !open);
    return open ? Joint::after : Joint::before;
  }

  const std::vector<Line>& words_;
  bool english_;
  bool open_double_ = false, open_single_ = false;
};

}  // namespace

Language language_named(const std::string& name) {
  check(name == "en" || name == "de", "language: must be \"en\" or \"de\", got \"", name, "\"");
  return name == "en" ? Language::english : Language::german;
}

std::string normalize_punctuation(std::string_view line, Language language) {
  Line plain = with_plain_marks(decode("normalize_punctuation", line));
  replace_all(plain, U"''", U"\"");
  if (language == Language::english) {
    put_stops_before_quotes(plain);
  } else {
    put_stops_after_quotes(plain);
  }
  return encode_utf8(plain);
}

std::string tokenize(std::string_view line, const TokenizerRules& rules) {
  Line spaced = separate_punctuation(decode("tokenize", line));
  if (rules.split_hyphens) spaced = split_hyphens(spaced);
  spaced = separate_commas(separate_dots(spaced));
  if (rules.language == Language::english) {
    spaced = separate_english_apostrophes(spaced);
  } else {
    replace_all(spaced, U"'", U" ' ");
  }
  const Line tokens = join(separate_stops(words_of(spaced), rules.language));
  return encode_utf8(rules.escape ? escape(tokens) : tokens);
}

std::string detokenize(std::string_view line, const TokenizerRules& rules) {
  const std::vector<Line> words = words_of(unescape(decode("detokenize", line)));
  return encode_utf8(Joiner(words, rules.language).join_all());
}

}  // namespace normlab

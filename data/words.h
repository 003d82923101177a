// Words of a text, and tables by word that are searched without a copy.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace normlab {

// Calls visit(word) for every word of `s`, in order. Words stand between ASCII blanks (space, tab, line ends); other
// blanks of Unicode are part of a word.
template <class Visit>
void for_each_word(std::string_view s, Visit visit) {
  const auto is_blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  for (std::size_t i = 0; i < s.size();) {
    const std::size_t begin = i;
    while (i < s.size() && !is_blank(s[i])) ++i;
    if (i > begin) visit(s.substr(begin, i - begin));
    ++i;
  }
}

struct WordHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view word) const { return std::hash<std::string_view>{}(word); }
};

template <class Value>
using WordMap = std::unordered_map<std::string, Value, WordHash, std::equal_to<>>;

}  // namespace normlab

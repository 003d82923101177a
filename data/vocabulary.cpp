// Cutting text into units, counting them, and giving them ids.
#include "vocabulary.h"

#include <algorithm>
#include <iomanip>
#include <sstream>

#include "../engine/error.h"

namespace normlab {
namespace {

using Bytes = std::string_view;

unsigned byte_at(Bytes s, std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u; }

// Bytes of the well-formed UTF-8 sequence at s[i], or 0: the Unicode Standard, table 3-7. The second byte's range rules
// out overlong forms (E0, F0), surrogates (ED) and code points beyond U+10FFFF (F4).
std::size_t sequence_length(Bytes s, std::size_t i) {
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

void check_utf8(Bytes s, const std::string& file) {
  Index line = 1;
  for (std::size_t i = 0; i < s.size();) {
    const std::size_t length = sequence_length(s, i);
    if (length == 0) {
      std::ostringstream byte;
      byte << std::hex << std::uppercase << std::setw(2) << std::setfill('0') << byte_at(s, i);
      throw Error(text("text file ", file, ": must be UTF-8, has the byte 0x", byte.str(), " out of place at byte ", i,
                       ", line ", line, "; convert it, for example with iconv -t UTF-8"));
    }
    if (s[i] == '\n') ++line;
    i += length;
  }
}

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

void for_each_word(Bytes line, const std::function<void(Bytes)>& visit) {
  for (std::size_t i = 0; i < line.size();) {
    if (is_blank(line[i])) {
      ++i;
      continue;
    }
    const std::size_t begin = i;
    while (i < line.size() && !is_blank(line[i])) ++i;
    visit(line.substr(begin, i - begin));
  }
}

void for_each_character(Bytes line, const std::function<void(Bytes)>& visit) {
  for (std::size_t i = 0; i < line.size();) {
    const std::size_t length = sequence_length(line, i);
    visit(line.substr(i, length));
    i += length;
  }
}

}  // namespace

void for_each_unit(std::string_view source, const TextRules& rules, const std::string& file,
                   const std::function<void(std::string_view, Index)>& visit) {
  check_utf8(source, file);
  std::string lowered;
  if (rules.lowercase) {
    lowered = source;
    for (char& c : lowered) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    source = lowered;
  }
  Index number = 0;
  const std::function<void(Bytes)> inner = [&](Bytes unit) { visit(unit, number); };
  for (std::size_t begin = 0; begin < source.size();) {
    ++number;
    const std::size_t end = std::min(source.find('\n', begin), source.size());
    Bytes line = source.substr(begin, end - begin);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (rules.unit == TextUnit::word) {
      for_each_word(line, inner);
    } else {
      for_each_character(line, inner);
    }
    visit(kEndOfLine, number);
    begin = end + 1;
  }
}

Vocabulary Vocabulary::build(std::string_view source, const TextRules& rules, const std::string& file,
                             const VocabularyLimits& limits) {
  struct Count {
    std::string unit;
    Index count = 0;
  };
  std::vector<Count> counts;  // in the order of first occurrence
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> places;
  for_each_unit(source, rules, file, [&](Bytes unit, Index) {
    auto place = places.find(unit);
    if (place == places.end()) {
      place = places.emplace(std::string(unit), counts.size()).first;
      counts.push_back({std::string(unit), 0});
    }
    ++counts[place->second].count;
  });
  check(counts.size() > (places.count(kEndOfLine) ? 1u : 0u), "text file ", file,
        ": must hold at least one word, has only blank lines");

  std::stable_sort(counts.begin(), counts.end(), [](const Count& a, const Count& b) { return a.count > b.count; });
  const auto special = [](const Count& c) { return c.unit == kEndOfLine || c.unit == kUnknown; };
  const auto rare = [&](const Count& c) { return c.count < limits.minimum_count && !special(c); };
  bool has_unknown = places.count(kUnknown) != 0;
  const auto kept = std::remove_if(counts.begin(), counts.end(), rare);
  bool left_out = kept != counts.end();
  counts.erase(kept, counts.end());

  // The rarest go until the limit holds, with a place for the <unk> that takes theirs.
  const auto too_many = [&] {
    return limits.largest > 0 &&
           static_cast<Index>(counts.size()) + (left_out && !has_unknown ? 1 : 0) > limits.largest;
  };
  while (too_many()) {
    const auto rarest = std::find_if_not(counts.rbegin(), counts.rend(), special);
    if (rarest == counts.rend()) break;
    counts.erase(std::next(rarest).base());
    left_out = true;
  }
  if (left_out && !has_unknown) counts.push_back({kUnknown, 0});
  if (limits.alphabetical) {
    std::sort(counts.begin(), counts.end(), [](const Count& a, const Count& b) { return a.unit < b.unit; });
  }

  std::vector<std::string> entries;
  entries.reserve(counts.size());
  for (Count& count : counts) entries.push_back(std::move(count.unit));
  return Vocabulary(std::move(entries));
}

Vocabulary::Vocabulary(std::vector<std::string> entries) : entries_(std::move(entries)) {
  ids_.reserve(entries_.size());
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const bool fresh = ids_.emplace(entries_[i], static_cast<std::int32_t>(i)).second;
    check(fresh, "vocabulary: entries must differ, \"", entries_[i], "\" stands at ", find(entries_[i]), " and ", i);
  }
  end_of_line_ = find(kEndOfLine);
  unknown_ = find(kUnknown);
}

std::int32_t Vocabulary::find(std::string_view entry) const {
  const auto place = ids_.find(entry);
  return place == ids_.end() ? -1 : place->second;
}

std::vector<std::int32_t> Vocabulary::encode(std::string_view source, const TextRules& rules, const std::string& file,
                                             bool allow_unknown) const {
  std::vector<std::int32_t> ids;
  for_each_unit(source, rules, file, [&](Bytes unit, Index line) {
    std::int32_t id = find(unit);
    if (id < 0 && allow_unknown) id = unknown_;
    if (id < 0) {
      throw Error(
          text("text file ", file, ", line ", line, ": every ", rules.unit == TextUnit::word ? "word" : "character",
               " must be in the training text's vocabulary, \"", unit, "\" is not; ",
               allow_unknown ? "make the training text hold <unk>, or set minimum_count or largest_vocabulary so "
                               "that rare ones become <unk>"
                             : "set \"unknown\" to \"unk\" to read it as <unk>"));
    }
    ids.push_back(id);
  });
  return ids;
}

}  // namespace normlab

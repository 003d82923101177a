// Cutting text into units, counting them, and giving them ids.
#include "vocabulary.h"

#include <algorithm>

#include "../engine/error.h"
#include "text_file.h"
#include "unicode.h"
#include "words.h"

namespace normlab {
namespace {

using Bytes = std::string_view;

void for_each_character(Bytes line, const std::function<void(Bytes)>& visit) {
  for (std::size_t i = 0; i < line.size();) {
    const std::size_t length = utf8_length(line, i);
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
  UnitCounts counts;
  bool has_units = false;
  for_each_unit(source, rules, file, [&](Bytes unit, Index) {
    counts.add(unit);
    has_units = has_units || unit != kEndOfLine;
  });
  check(has_units, "text file ", file, ": must hold at least one word, has only blank lines");
  return counts.vocabulary(limits);
}

void UnitCounts::add(std::string_view unit) {
  auto place = places_.find(unit);
  if (place == places_.end()) {
    place = places_.emplace(unit, counts_.size()).first;
    counts_.push_back({std::string(unit), 0});
  }
  ++counts_[place->second].count;
}

Vocabulary UnitCounts::vocabulary(const VocabularyLimits& limits, const std::vector<std::string>& symbols) const {
  std::vector<Count> counts = counts_;
  const auto is_symbol = [&](const Count& c) {
    return c.unit == kEndOfLine || c.unit == kUnknown ||
           std::find(symbols.begin(), symbols.end(), c.unit) != symbols.end();
  };
  for (const std::string& symbol : symbols) {
    if (!places_.count(symbol)) counts.push_back({symbol, 0});
  }
  std::stable_sort(counts.begin(), counts.end(), [](const Count& a, const Count& b) { return a.count > b.count; });
  const auto rare = [&](const Count& c) { return c.count < limits.minimum_count && !is_symbol(c); };
  bool has_unknown = std::any_of(counts.begin(), counts.end(), [](const Count& c) { return c.unit == kUnknown; });
  const auto kept = std::remove_if(counts.begin(), counts.end(), rare);
  bool left_out = kept != counts.end();
  counts.erase(kept, counts.end());

  // The rarest go until the limit holds, with a place for the <unk> that takes theirs.
  const auto too_many = [&] {
    return limits.largest > 0 &&
           static_cast<Index>(counts.size()) + (left_out && !has_unknown ? 1 : 0) > limits.largest;
  };
  while (too_many()) {
    const auto rarest = std::find_if_not(counts.rbegin(), counts.rend(), is_symbol);
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

// Learning keeps the count of every pair and the words it occurs in, so that a merge touches those words only; applying
// takes the earliest merge a word allows until none is left.
#include "bpe.h"

#include <algorithm>
#include <queue>

#include "../engine/error.h"
#include "text_file.h"
#include "unicode.h"

namespace normlab {
namespace {

constexpr std::string_view kVersion = "#version: 0.2";
constexpr std::string_view kEndOfWord = "</w>";
constexpr std::string_view kMark = "@@";

std::uint64_t key_of(std::int32_t left, std::int32_t right) {
  return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
}

// The symbols a word begins as.
std::vector<std::string> characters_of(std::string_view word) {
  std::vector<std::string> characters;
  for (std::size_t i = 0; i < word.size();) {
    const std::size_t length = utf8_length(word, i);
    characters.emplace_back(word.substr(i, length));
    i += length;
  }
  characters.back() += kEndOfWord;
  return characters;
}

// A queue holds the pairs by the count they had when they came in. Merging lowers the counts of other pairs: one that
// has become less frequent goes back with its present count when it comes up.
class Learner {
 public:
  explicit Learner(const WordCounts& counts) {
    for (const auto& [word, count] : counts) {
      require_utf8("learn_bpe", word);
      check(!word.empty(), "learn_bpe: a word must not be empty, one is");
      check(count >= 0, "learn_bpe: a count must not be negative, got ", count, " of \"", word, "\"");
      words_.push_back({{}, count});
      for (const std::string& character : characters_of(word)) words_.back().symbols.push_back(id_of(character));
      const Symbols& symbols = words_.back().symbols;
      for (std::size_t i = 1; i < symbols.size(); ++i) change(symbols[i - 1], symbols[i], words_.size() - 1, count);
    }
    push_grown();
  }

  std::vector<Merge> learn(Index merges, Index minimum_count) {
    std::vector<Merge> learned;
    while (static_cast<Index>(learned.size()) < merges && !queue_.empty()) {
      const Candidate best = queue_.top();
      queue_.pop();
      const Index now = pairs_.at(key_of(best.left, best.right)).count;
      if (now != best.count) {
        if (now > 0 && now < best.count) queue_.push({now, best.left, best.right});
        continue;
      }
      if (now < minimum_count) break;
      learned.emplace_back(names_[place(best.left)], names_[place(best.right)]);
      merge(best.left, best.right);
      push_grown();
    }
    return learned;
  }

 private:
  using Symbols = std::vector<std::int32_t>;
  struct Word {
    Symbols symbols;
    Index count;
  };
  struct Pair {
    Index count = 0;
    std::vector<std::size_t> words;  // that have had it; some may have it no more
  };
  struct Candidate {
    Index count;
    std::int32_t left, right;
  };

  static std::size_t place(std::int32_t id) { return static_cast<std::size_t>(id); }

  std::int32_t id_of(const std::string& name) {
    const auto [found, fresh] = ids_.emplace(name, static_cast<std::int32_t>(names_.size()));
    if (fresh) names_.push_back(name);
    return found->second;
  }

  void change(std::int32_t left, std::int32_t right, std::size_t word, Index by) {
    const std::uint64_t key = key_of(left, right);
    Pair& pair = pairs_[key];
    pair.count += by;
    if (by < 0) return;
    if (pair.words.empty() || pair.words.back() != word) pair.words.push_back(word);
    grown_.push_back(key);
  }

  // Once all words are counted or changed.
  void push_grown() {
    std::sort(grown_.begin(), grown_.end());
    grown_.erase(std::unique(grown_.begin(), grown_.end()), grown_.end());
    for (std::uint64_t key : grown_) {
      const Index count = pairs_.at(key).count;
      if (count > 0)
        queue_.push({count, static_cast<std::int32_t>(key >> 32), static_cast<std::int32_t>(key & 0xFFFFFFFF)});
    }
    grown_.clear();
  }

  void merge(std::int32_t left, std::int32_t right) {
    const std::int32_t both = id_of(names_[place(left)] + names_[place(right)]);
    const std::vector<std::size_t> words = std::move(pairs_.at(key_of(left, right)).words);
    for (std::size_t word : words) merge_in_word(word, left, right, both);
  }

  // From left to right: of "x x x" the first two become one.
  void merge_in_word(std::size_t number, std::int32_t left, std::int32_t right, std::int32_t both) {
    Word& word = words_[number];
    Symbols merged;
    for (std::size_t i = 0; i < word.symbols.size(); ++i) {
      const bool found = i + 1 < word.symbols.size() && word.symbols[i] == left && word.symbols[i + 1] == right;
      if (!found) {
        merged.push_back(word.symbols[i]);
        continue;
      }
      if (!merged.empty()) {
        change(merged.back(), left, number, -word.count);
        change(merged.back(), both, number, word.count);
      }
      ++i;
      change(left, right, number, -word.count);
      if (i + 1 < word.symbols.size()) {
        change(right, word.symbols[i + 1], number, -word.count);
        change(both, word.symbols[i + 1], number, word.count);
      }
      merged.push_back(both);
    }
    word.symbols = std::move(merged);
  }

  // Does a come after b in the queue?
  struct Later {
    const std::vector<std::string>& names;
    bool operator()(const Candidate& a, const Candidate& b) const {
      if (a.count != b.count) return a.count < b.count;
      if (a.left != b.left) return names[place(a.left)] < names[place(b.left)];
      return names[place(a.right)] < names[place(b.right)];
    }
  };

  std::vector<Word> words_;
  std::vector<std::string> names_;
  WordMap<std::int32_t> ids_;
  std::unordered_map<std::uint64_t, Pair> pairs_;
  std::vector<std::uint64_t> grown_;
  std::priority_queue<Candidate, std::vector<Candidate>, Later> queue_{Later{names_}};
};

}  // namespace

void count_words(std::string_view source, const std::string& file, WordCounts& counts) {
  check_utf8(source, file);
  for_each_word(source, [&](std::string_view word) {
    auto place = counts.find(word);
    if (place == counts.end()) place = counts.emplace(word, 0).first;
    ++place->second;
  });
}

std::vector<Merge> learn_bpe(const WordCounts& counts, Index merges, Index minimum_count) {
  return Learner(counts).learn(merges, minimum_count);
}

Bpe::Bpe(const std::vector<Merge>& merges) : merges_(merges) {
  const auto id_of = [&](const std::string& name) {
    return symbols_.emplace(name, static_cast<std::int32_t>(symbols_.size())).first->second;
  };
  for (std::size_t rank = 0; rank < merges_.size(); ++rank) {
    const auto& [left, right] = merges_[rank];
    const std::int32_t first = id_of(left), second = id_of(right);
    steps_.emplace(key_of(first, second), Step{static_cast<std::int32_t>(rank), id_of(left + right)});
  }
}

Bpe Bpe::parse(std::string_view codes, const std::string& file) {
  check_utf8(codes, file);
  codes = codes.substr(0, codes.find_last_not_of("\r\n") + 1);
  std::vector<Merge> merges;
  Index number = 0;
  for (std::size_t begin = 0; begin < codes.size(); ++number) {
    const std::size_t end = std::min(codes.find('\n', begin), codes.size());
    std::string_view line = codes.substr(begin, end - begin);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    begin = end + 1;
    if (number == 0) {
      check(line.starts_with("#version:"), "bpe codes ", file, ": must be in subword-nmt's format with a first line \"",
            kVersion, "\", got \"", line, "\"");
      check(line == kVersion, "bpe codes ", file, ": must be of version 0.2 (first line \"", kVersion, "\"), got \"",
            line, "\"; learn them again with a newer subword-nmt or here");
      continue;
    }
    std::vector<std::string> symbols;
    for_each_word(line, [&](std::string_view symbol) { symbols.emplace_back(symbol); });
    check(symbols.size() == 2, "bpe codes ", file, ", line ", number + 1,
          ": must be two symbols with a blank between, got \"", line, "\"");
    merges.emplace_back(symbols[0], symbols[1]);
  }
  check(!merges.empty(), "bpe codes ", file, ": must hold at least one merge, has none");
  return Bpe(merges);
}

Bpe Bpe::read(const std::string& file) { return parse(read_text(file), file); }

std::string Bpe::codes() const {
  std::string out(kVersion);
  out += '\n';
  for (const auto& [left, right] : merges_) out += left + ' ' + right + '\n';
  return out;
}

std::string Bpe::segment(std::string_view line) {
  require_utf8("segment", line);
  std::string out;
  for_each_word(line, [&](std::string_view word) {
    auto place = segmented_.find(word);
    if (place == segmented_.end()) place = segmented_.emplace(word, segment_word(word)).first;
    if (!out.empty()) out += ' ';
    out += place->second;
  });
  return out;
}

std::string Bpe::segment_word(std::string_view word) const {
  struct Piece {
    std::string text;
    std::int32_t symbol;  // -1 when no merge has it
  };
  std::vector<Piece> pieces;
  for (std::string& character : characters_of(word)) {
    const auto found = symbols_.find(character);
    pieces.push_back({std::move(character), found == symbols_.end() ? -1 : found->second});
  }
  const auto step_at = [&](std::size_t i) {
    const auto found = steps_.find(key_of(pieces[i].symbol, pieces[i + 1].symbol));
    return found == steps_.end() ? nullptr : &found->second;
  };
  while (true) {
    const Step* first = nullptr;
    for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
      const Step* step = step_at(i);
      if (step && (!first || step->rank < first->rank)) first = step;
    }
    if (!first) break;
    for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
      if (step_at(i) != first) continue;
      pieces[i] = {pieces[i].text + pieces[i + 1].text, first->symbol};
      pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    }
  }
  std::string out;
  for (const Piece& piece : pieces) {
    if (&piece != &pieces.back()) out.append(piece.text).append(kMark).append(1, ' ');
  }
  return out.append(pieces.back().text, 0, pieces.back().text.size() - kEndOfWord.size());
}

std::string join_subwords(std::string_view line) {
  std::string out;
  for_each_word(line, [&](std::string_view subword) {
    out += subword;
    if (subword.ends_with(kMark)) {
      out.resize(out.size() - kMark.size());
    } else {
      out += ' ';
    }
  });
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace normlab

// Problems: gathered, sorted and put into words.
#include "problems.h"

#include <algorithm>
#include <numeric>

#include "../engine/error.h"

namespace normlab {

void Problems::add(Position at, std::string path, std::string message) {
  list_.push_back({at, std::move(path), std::move(message)});
}

void Problems::throw_if_any() const {
  if (list_.empty()) return;
  std::vector<Problem> sorted = list_;
  const auto before = [](const Problem& a, const Problem& b) {
    const bool a_typed = a.at.line == 0, b_typed = b.at.line == 0;
    return a_typed != b_typed ? b_typed : a.at.line < b.at.line;
  };
  std::stable_sort(sorted.begin(), sorted.end(), before);
  std::string lines;
  for (const Problem& problem : sorted) {
    if (!lines.empty()) lines += '\n';
    lines += problem.at.line == 0 ? text("command line: ") : text(file_, ":", problem.at.line, ": ");
    if (!problem.path.empty()) lines += problem.path + ": ";
    lines += problem.message;
  }
  throw Error(lines);
}

std::string join_path(const std::string& path, const std::string& name) {
  const std::string shown = name.empty() ? "\"\"" : name;
  return path.empty() ? shown : path + "." + shown;
}

namespace {

// Insertions, deletions, replacements and swaps of neighbours that turn a into b (optimal string alignment).
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> before_last, last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last = last;
    last = row;
  }
  return last[b.size()];
}

}  // namespace

std::string closest(const std::string& word, const std::vector<std::string>& candidates) {
  constexpr std::size_t kLongestWord = 64;  // longer ones are no slip of the keyboard
  if (word.size() > kLongestWord) return "";
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string listed(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : ", ") + word;
  return line;
}

}  // namespace normlab

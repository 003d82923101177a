// Problems: what is wrong with a config, gathered so that a person sees everything at once, in the order of the file.
#pragma once

#include <string>
#include <vector>

namespace normlab {

// Where a value stands, both counted from 1. Line 0: it came from the command line.
struct Position {
  int line = 0;
  int column = 0;
};

struct Problem {
  Position at;
  std::string path;     // "model.norm.epsilon"; empty for the file as a whole
  std::string message;  // "must be above 0, got -1"

  bool operator==(const Problem& other) const {
    return at.line == other.at.line && path == other.path && message == other.message;
  }
};

class Problems {
 public:
  explicit Problems(std::string file) : file_(std::move(file)) {}

  const std::string& file() const { return file_; }
  bool empty() const { return list_.empty(); }
  const std::vector<Problem>& list() const { return list_; }

  void add(Position at, std::string path, std::string message);
  // Throws Error with one line per problem, "file.json:14: model.width: must be …", sorted by line, those of the
  // command line last.
  void throw_if_any() const;

 private:
  std::string file_;
  std::vector<Problem> list_;
};

// "model" and "width" make "model.width".
std::string join_path(const std::string& path, const std::string& name);
// The candidate that was probably meant by `word`, or nothing: the nearest in edit distance if it is near.
std::string closest(const std::string& word, const std::vector<std::string>& candidates);
// "a, b, c"
std::string listed(const std::vector<std::string>& words);

}  // namespace normlab

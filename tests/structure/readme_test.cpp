// What a README shows as code is code that compiles here: the part of a test between two marks, or a whole file. And
// the verdicts that the top README counts are those of the ledgers.
#include <array>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace {

std::string content(const std::string& file) {
  std::ifstream in(std::string(NORMLAB_SOURCE_DIR) + "/" + file);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

// The fields of a line of CSV. Quotes enclose a field with commas; none of ours contains a line's end.
std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

// "14 held, 1 undecided" for each row of claims that the ledger has: its verdicts "X1-post-r1", … counted.
std::map<std::string, std::string> verdicts_of(const std::string& ledger) {
  const std::array<const char*, 3> kinds = {"held", "did not hold", "undecided"};
  std::map<std::string, std::map<std::string, int>> counts;
  std::istringstream lines(content(ledger));
  std::string line;
  std::getline(lines, line);
  REQUIRE(line.starts_with("id,claim,source,verdict,"));
  while (std::getline(lines, line)) {
    const std::vector<std::string> fields = fields_of(line);
    ++counts[fields.at(0).substr(0, fields.at(0).find('-'))][fields.at(3)];
  }
  std::map<std::string, std::string> texts;
  for (auto& [row, of] : counts) {
    std::string& text = texts[row];
    for (const char* kind : kinds) {
      if (of[kind] > 0) text += (text.empty() ? "" : ", ") + std::to_string(of[kind]) + " " + kind;
    }
  }
  return texts;
}

}  // namespace

TEST_CASE("the README's op and its gradient check are those of a test") {
  const std::string test = content("tests/engine/gradcheck_test.cpp");
  const std::size_t begin = test.find('\n', test.find("// README begin")) + 1, end = test.find("// README end");
  REQUIRE(begin < end);
  REQUIRE(end != std::string::npos);
  CHECK_THAT(content("README.md"), ContainsSubstring("```cpp\n" + test.substr(begin, end - begin) + "```"));
}

TEST_CASE("the norm that nn/norm/README.md adds is the one that test_nn is built with") {
  CHECK_THAT(content("nn/norm/README.md"),
             ContainsSubstring("```cpp\n" + content("tests/nn/norm/example/l1.h") + "```"));
}

TEST_CASE("the verdicts that the README counts are those of the ledgers") {
  std::map<std::string, std::string> expected;
  for (const char* paper : {"xiong2020", "shen2020", "practice"}) {
    const std::string ledger = std::string("configs/") + paper + "/ledger.csv";
    if (content(ledger).empty()) continue;
    // One row may stand in two: S1 is of text in one and of images in another.
    for (const auto& [row, text] : verdicts_of(ledger)) expected[row] += (expected[row].empty() ? "" : "; ") + text;
  }
  CHECK(expected.size() >= 5);
  const std::string readme = content("README.md");
  for (const auto& [row, text] : expected) {
    INFO(row << " must end in: " << text);
    const std::size_t begin = readme.find("\n| " + row + " | ");
    CHECK(begin != std::string::npos);
    if (begin == std::string::npos) continue;
    const std::string line = readme.substr(begin + 1, readme.find('\n', begin + 1) - begin - 1);
    CHECK(line.ends_with(" | " + text + " |"));
  }
}

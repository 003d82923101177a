// What a README shows as code is code that compiles here: the part of a test between two marks, or a whole file.
#include <fstream>
#include <sstream>
#include <string>

#include "tests/support/catch.h"

namespace {

std::string content(const std::string& file) {
  std::ifstream in(std::string(NORMLAB_SOURCE_DIR) + "/" + file);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
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

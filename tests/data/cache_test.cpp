// The cache: found when whole, made again when not, and never in the way.
#include "data/cache.h"

#include "tests/data/cache_folder.h"
#include "tests/support/catch.h"

using namespace normlab;

TEST_CASE("what was made once is found again, by everything it was made from") {
  const CacheFolder folder;
  int made = 0;
  const auto look_up = [&](const Hash& key, const std::string& value) {
    return cached("words", key, [&] {
      ++made;
      return value;
    });
  };
  CHECK(look_up(Hash().add("a").add("b"), "one\ntwo\n") == "one\ntwo\n");
  CHECK(look_up(Hash().add("a").add("b"), "other") == "one\ntwo\n");
  CHECK(made == 1);
  CHECK(look_up(Hash().add("ab"), "other") == "other");
  CHECK(look_up(Hash().add("a"), "") == "");
  CHECK(look_up(Hash().add("a"), "other") == "");
  CHECK(made == 3);
}

TEST_CASE("a cut or damaged entry is made again") {
  const CacheFolder folder;
  const auto look_up = [&](const std::string& value) {
    return cached("words", Hash().add("a"), [&] { return value; });
  };
  look_up("the first text");
  const auto entry = *std::filesystem::directory_iterator(folder.entries());
  const std::string whole = bytes_of_file(entry.path().string());
  for (const std::string& contents :
       {whole.substr(0, whole.size() - 1), whole + "x", std::string(), std::string("x")}) {
    std::ofstream(entry.path(), std::ios::binary) << contents;
    CHECK(look_up("made again") == "made again");
    CHECK(look_up("and kept") == "made again");
  }
}

TEST_CASE("where nothing can be kept everything is made") {
  const CacheFolder folder;
  std::ofstream(folder.path() + "/normlab") << "a file where the folder would be";
  for (int i = 0; i < 2; ++i) {
    CHECK(cached("words", Hash().add("a"), [&] { return std::to_string(i); }) == std::to_string(i));
  }
}

// The cache: found when whole, made again when not, and never in the way.
#include "data/cache.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>
#include <vector>

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

TEST_CASE("what has not been used for longest makes room; the last entry stays, however large") {
  const CacheFolder folder;
  const auto entries = [&] {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder.entries())) {
      const std::string name = entry.path().filename().string();
      names.push_back(name.substr(0, name.find('-')));
    }
    std::sort(names.begin(), names.end());
    return names;
  };
  const auto look_up = [](const std::string& name, std::size_t bytes) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // files' times must differ
    return cached(
        name, Hash().add(name), [&] { return std::string(bytes, 'x'); }, 1000);
  };
  using Names = std::vector<std::string>;
  look_up("one", 300);
  look_up("two", 300);
  CHECK(entries() == Names{"one", "two"});
  look_up("one", 0);  // used again
  look_up("three", 300);
  CHECK(entries() == Names{"one", "three"});
  CHECK(look_up("large", 5000).size() == 5000);
  CHECK(entries() == Names{"large"});
  look_up("one", 300);
  CHECK(entries() == Names{"one"});
}

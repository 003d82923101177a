// The table of data sets is in order: no name stands for two things, every file can be told from a wrong one.
#include "train/fetch/data_sets.h"

#include <map>
#include <set>

#include "tests/support/catch.h"

using namespace normlab;

TEST_CASE("data sets: names are unique, hashes have 64 or 40 digits, downloads of one name hold the same") {
  std::set<std::string> names, paths;
  for (const DataSet& set : data_sets()) {
    INFO(set.name);
    CHECK(names.insert(set.name).second);
    CHECK_FALSE(set.licence.empty());
    std::map<std::string, std::string> steps;  // name of a download -> the last part of its URL
    for (const DataFile& file : set.files) {
      INFO(file.path);
      CHECK(paths.insert(set.folder + "/" + file.path).second);
      CHECK(file.hash.find_first_not_of("0123456789abcdef") == std::string::npos);
      CHECK((file.hash.size() == 64 || file.hash.size() == 40));
      CHECK(file.bytes > 0);
      REQUIRE_FALSE(file.ways.empty());
      for (const Way& way : file.ways) {
        REQUIRE_FALSE(way.sources.empty());
        CHECK((!way.programs.empty() || way.sources.size() == 1));
        std::set<std::string> of_way;
        for (const Source& source : way.sources) {
          CHECK_FALSE(source.name.empty());
          CHECK(source.name.find('/') == std::string::npos);
          CHECK(of_way.insert(source.name).second);
          CHECK(source.url.rfind("http", 0) == 0);
          const std::string last = source.url.substr(source.url.rfind('/') + 1);
          CHECK(steps.emplace(source.name, last).first->second == last);
        }
      }
    }
  }
}

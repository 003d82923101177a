// `bench norms` shows every registered norm, with figures that belong together. No time is held against a bound here.
#include "train/bench/norms.h"

#include <cmath>
#include <sstream>

#include "nn/norm/norm.h"
#include "tests/support/catch.h"
#include "train/bench/measure.h"
#include "train/json_reader.h"

using namespace normlab;

namespace {

void check_transfer(const Transfer& t, const Transfer& copy, double matrix_bytes) {
  CHECK(t.seconds > 0);
  CHECK(std::isfinite(t.seconds));
  CHECK(t.passes >= 2);  // all read one and write one
  CHECK(t.bytes == t.passes * matrix_bytes);
  CHECK(t.bytes_per_second == Approx(t.bytes / t.seconds));
  CHECK(t.over_floor == Approx(t.seconds / (t.bytes / copy.bytes_per_second)));
}

}  // namespace

TEST_CASE("bench norms: every registered norm but none, then each pre-scale alone, with its passes", "[bench]") {
  const NormsFigures figures = measure_norms(48, 64, 3);
  CHECK(figures.rounds == 2);
  CHECK(figures.copy.passes == 2);
  std::vector<std::pair<std::string, std::string>> shown, expected;
  for (const NormFigures& norm : figures.norms) {
    INFO(norm.kind << " " << norm.pre_scale);
    shown.emplace_back(norm.kind, norm.pre_scale);
    check_transfer(norm.forward, figures.copy, 48 * 64 * 4);
    check_transfer(norm.backward, figures.copy, 48 * 64 * 4);
    if (norm.kind == "none") continue;
    const auto passes = NormConfig(norm.kind).make(Init(), 64, 4)->passes();
    CHECK(norm.forward.passes == passes.forward);
    CHECK(norm.backward.passes == passes.backward);
  }
  for (const auto& entry : registered(static_cast<const NormOptions*>(nullptr))) {
    if (entry.kind != "none") expected.emplace_back(entry.kind, "none");
  }
  expected.emplace_back("none", "rms");
  expected.emplace_back("none", "grouped_rms");
  CHECK(shown == expected);
  CHECK(figures.norms.back().forward.passes == 2);  // no norm behind the pre-scale moves nothing
  CHECK(figures.norms.back().backward.passes == 3);
}

TEST_CASE("bench norms: the JSON has a line a norm with the figures of the table", "[bench]") {
  const Transfer fast{0.001, 2, 2e6, 2e9, 1}, slow{0.04, 3, 3e6, 0.075e9, 26.7};
  const NormsFigures figures{500, 1000, 20, fast, {{"layer", "none", fast, slow}, {"none", "rms", slow, slow}}};
  std::istringstream lines(as_json(figures));
  Problems problems("figures");
  std::string line;
  REQUIRE(std::getline(lines, line));
  const JsonNode first = parse_json(line, problems);
  CHECK(find_path(first, "norm")->string == "layer");
  CHECK(find_path(first, "pre_scale")->string == "none");
  CHECK(find_path(first, "rows")->integer == 500);
  CHECK(find_path(first, "features")->integer == 1000);
  CHECK(find_path(first, "backward.milliseconds")->real == Approx(40));
  CHECK(find_path(first, "backward.passes")->integer == 3);
  CHECK(find_path(first, "backward.bytes")->real == Approx(3e6));
  CHECK(find_path(first, "backward.gigabytes_per_second")->real == Approx(0.075));
  CHECK(find_path(first, "backward.over_floor")->real == Approx(26.7));
  CHECK(find_path(first, "copy_gigabytes_per_second")->real == Approx(2));
  CHECK(find_path(first, "processor") != nullptr);
  REQUIRE(std::getline(lines, line));
  CHECK(find_path(parse_json(line, problems), "norm")->string == "none");
  CHECK_FALSE(std::getline(lines, line));

  std::istringstream table(as_text(figures));
  std::size_t rows = 0, width = 0;
  while (std::getline(table, line)) {
    CHECK(line.size() <= 100);
    if (line.rfind("layer", 0) != 0 && line.rfind("none", 0) != 0) continue;
    CHECK((rows++ == 0 || line.size() == width));  // aligned
    width = line.size();
  }
  CHECK(rows == 2);
}

TEST_CASE("bench norms: features that a norm cannot do with are refused by name", "[bench]") {
  CHECK_THROWS_WITH(measure_norms(8, 18, 2), ContainsSubstring("bench norms: ") && ContainsSubstring("18 features"));
}

TEST_CASE("The median is the middle value", "[bench]") {
  CHECK(median({3}) == 3);
  CHECK(median({5, 1, 3}) == 3);
  CHECK(median({4, 1, 3, 2}) == 3);
  CHECK_THROWS_WITH(median({}), ContainsSubstring("got none"));
}

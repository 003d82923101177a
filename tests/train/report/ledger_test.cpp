// The ledger kept with the configs.
#include "train/report/ledger.h"

#include "folders.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "train/csv.h"

using namespace normlab;
using made_up::MadeUp;
using made_up::make_experiment;
namespace fs = std::filesystem;

namespace {

LedgerEntry entry_of(const MadeUp& made) {
  return {made.folder, made.results, provenance(made.experiment, made.folder)};
}

std::size_t count_of(const std::string& text, const std::string& words) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(words, at)) != std::string::npos; ++at) ++count;
  return count;
}

}  // namespace

TEST_CASE("an experiment's rows take the place of its own, and those of others stay") {
  const test::TemporaryFolder folder;
  const fs::path paper = folder / "configs/xiong2020";
  MadeUp one = make_experiment(folder / "runs/xiong2020/one", 3),
         two = make_experiment(folder / "runs/xiong2020/two", 3);
  write_report(one.experiment, one.runs, one.results, one.folder);
  fs::create_directories(paper);
  write_file(paper / "README.md", "# Xiong\n\nBefore.\n\n<!-- ledger -->\nstale\n<!-- /ledger -->\n\nAfter.\n");
  write_file(paper / "one.json", "{}");
  write_ledger({entry_of(one)}, paper);
  write_ledger({entry_of(two)}, paper);
  const std::string both = read_file(paper / "README.md");
  CHECK(both.rfind("# Xiong\n\nBefore.\n\n<!-- ledger -->\n| id |", 0) == 0);
  CHECK(both.find("stale") == std::string::npos);
  CHECK(both.find("<!-- /ledger -->\n\nAfter.\n") != std::string::npos);
  CHECK(count_of(both, "\n| X1 |") == 2);
  CHECK(both.find("[one](one.json)") != std::string::npos);
  CHECK(both.find("Post-LN ends \\<i\\>higher") != std::string::npos);
  CHECK(both.find("\n- one, two: 2026-11-21, a \\<fast\\> one, threads: 2, commit 0123456789ab") != std::string::npos);
  // Of what both say the same, each text stands once, and only what did not hold is explained.
  const std::string reasons = both.substr(both.find("\nWhy a claim is not said to hold:\n\n"));
  CHECK(count_of(reasons, "\n- X2: did not hold: ") == 1);
  CHECK(count_of(reasons, "\n- X1") == 0);
  const std::vector<CsvRow> rows = read_csv(read_file(paper / "ledger.csv"));
  REQUIRE(rows.size() == 5);
  CHECK(rows[1][0] == "X1");
  CHECK(rows[1][3] == "held");
  CHECK(rows[3][0] == "X2");
  CHECK(rows[3][3] == "did not hold");

  one.results[0].value = 0.123;
  write_ledger({entry_of(one)}, paper);
  const std::string changed = read_file(paper / "README.md");
  CHECK(count_of(changed, "\n| X1 |") == 2);
  CHECK(count_of(changed, "| 0.123 ") == 1);
  CHECK(read_csv(read_file(paper / "ledger.csv")).size() == 5);
}

TEST_CASE("the figures of an experiment lie beside the ledger with their numbers") {
  const test::TemporaryFolder folder;
  const fs::path paper = folder / "configs/xiong2020";
  const MadeUp one = make_experiment(folder / "runs/xiong2020/one", 2);
  write_report(one.experiment, one.runs, one.results, one.folder);
  write_ledger({entry_of(one)}, paper);
  CHECK(read_file(paper / "figures/one/loss.csv") == read_file(one.folder / "figures/loss.csv"));
  CHECK(!fs::exists(paper / "figures/one/loss.gnuplot"));
  if (fs::exists(one.folder / "figures/loss.svg")) {
    CHECK(read_file(paper / "README.md").find("![Validation loss](figures/one/loss.svg)") != std::string::npos);
  }
  // What the experiment has no longer must not stand beside other numbers.
  for (const char* kind : {"svg", "csv"}) fs::remove(one.folder / "figures" / (std::string("loss.") + kind));
  write_ledger({entry_of(one)}, paper);
  CHECK(!fs::exists(paper / "figures/one/loss.svg"));
  CHECK(!fs::exists(paper / "figures/one/loss.csv"));
  CHECK(read_file(paper / "README.md").find("figures/one/loss.svg") == std::string::npos);
}

TEST_CASE("the final figures of each run lie beside the ledger, and the page leads to them") {
  const test::TemporaryFolder folder;
  const fs::path paper = folder / "configs/xiong2020";
  const MadeUp one = make_experiment(folder / "runs/xiong2020/one", 2),
               two = make_experiment(folder / "runs/xiong2020/two", 2);
  write_file(one.folder / "summary.csv", "arms,seed,valid_nll\nPre-LN,1,2.5\n");
  write_ledger({entry_of(one), entry_of(two)}, paper);
  CHECK(read_file(paper / "runs/one.csv") == read_file(one.folder / "summary.csv"));
  CHECK(!fs::exists(paper / "runs/two.csv"));
  CHECK(read_file(paper / "README.md").find("\n- [one](runs/one.csv), two: 2026-11-21, ") != std::string::npos);
  fs::remove(one.folder / "summary.csv");
  write_ledger({entry_of(one)}, paper);
  CHECK(!fs::exists(paper / "runs/one.csv"));
  CHECK(read_file(paper / "README.md").find("\n- two, one: 2026-11-21, ") != std::string::npos);
}

TEST_CASE("the top page shows the ledgers of all papers where it has the marks") {
  const test::TemporaryFolder folder;
  const MadeUp one = make_experiment(folder / "runs/one", 2);
  write_file(folder / "README.md", "# Top\n");
  write_ledger({entry_of(one)}, folder / "configs/xiong2020");
  CHECK(read_file(folder / "README.md") == "# Top\n");
  write_file(folder / "README.md", "# Top\n<!-- ledger -->\n<!-- /ledger -->\n");
  write_ledger({entry_of(one)}, folder / "configs/shen2020");
  const std::string top = read_file(folder / "README.md");
  CHECK(top.find("[X1](configs/xiong2020/README.md)") != std::string::npos);
  CHECK(top.find("[X1](configs/shen2020/README.md)") != std::string::npos);
  CHECK(read_file(folder / "configs/shen2020/README.md").rfind("# shen2020\n\n## Measured\n\n<!-- ledger -->\n", 0) ==
        0);
}

TEST_CASE("a page with half the marks is left alone") {
  CHECK_THROWS_WITH(with_ledger("<!-- ledger -->", "x"), ContainsSubstring("has only one of them"));
  CHECK_THROWS_WITH(with_ledger("<!-- /ledger --><!-- ledger -->", "x"), ContainsSubstring("in the wrong order"));
  CHECK(with_ledger("a<!-- ledger -->b<!-- /ledger -->c", "x") == "a<!-- ledger -->\nx<!-- /ledger -->c");
}

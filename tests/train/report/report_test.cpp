// The report of an experiment, the index over several, and their pages' common parts.
#include "train/report/report.h"

#include <chrono>

#include "folders.h"
#include "tests/support/catch.h"
#include "tests/support/path.h"
#include "tests/support/temporary_folder.h"
#include "train/report/html.h"
#include "train/report/index.h"

using namespace normlab;
using made_up::MadeUp;
using made_up::make_experiment;
namespace fs = std::filesystem;

namespace {

std::string report_of(const MadeUp& made) {
  write_report(made.experiment, made.runs, made.results, made.folder);
  return read_file(made.folder / "report.html");
}

bool has(const std::string& page, const std::string& words) { return page.find(words) != std::string::npos; }

IndexEntry entry_of(const MadeUp& made) {
  return {made.folder, made.experiment.question, count(made.runs), "2026-11-21", made.results};
}

}  // namespace

TEST_CASE("the report answers in order: question, verdicts, figures, arms, differences, command, environment, config") {
  const test::TemporaryFolder folder;
  const std::string page = report_of(make_experiment(folder / "runs/paper/order", 3));
  std::size_t at = 0;
  for (const char* part : {"<h1>", "id=\"verdicts\"", "id=\"figures\"", "id=\"arms\"", "id=\"differs\"",
                           "id=\"command\"", "id=\"environment\"", "id=\"config\"", "<footer>"}) {
    INFO(part);
    const std::size_t found = page.find(part);
    REQUIRE(found != std::string::npos);
    CHECK(found > at);
    at = found;
  }
  CHECK(has(page, "Normlab · paper/order"));
  CHECK(has(page, "✓ held"));
  CHECK(has(page, "✗ did not hold"));
  CHECK(has(page, "too small to be evidence about the paper"));
  CHECK(has(page, "the paper: <b>0.8</b>"));
  CHECK(has(page, "<dt>Rule</dt><dd>held when at least 0.5</dd>"));
  CHECK(has(page, "<b>24</b> of 24 runs over"));
  CHECK(has(page, "0123456789ab"));
  CHECK(has(page, "validation perplexity"));
  CHECK(!has(page, "id=\"unfinished\""));
}

TEST_CASE("a report is one file that asks nothing of the network, and what people wrote stays words") {
  const test::TemporaryFolder folder;
  const std::string page = report_of(make_experiment(folder / "escaping", 2));
  for (const char* outside : {"http:", "https:", "src=", "@import", "url(", "<link", "<script"}) {
    INFO(outside);
    std::string without_names = page;  // of the SVG name spaces, which nobody fetches
    CHECK(!has(without_names, outside));
  }
  CHECK(has(page, "<h1>Does &lt;b&gt;Post-LN&lt;/b&gt; end &quot;higher&quot; &amp; later than Pre-LN?</h1>"));
  CHECK(has(page, "Post-LN ends &lt;i&gt;higher&lt;/i&gt;"));
  CHECK(has(page, "a &lt;fast&gt; one"));
  CHECK(!has(page, "alert(1)</script>"));
  CHECK(escaped("<a href='x'>\"&\x01\n") == "&lt;a href=&#39;x&#39;&gt;&quot;&amp;\n");
}

TEST_CASE("runs that are not over are told, and the report shows what there is") {
  const test::TemporaryFolder folder;
  const MadeUp made = make_experiment(folder / "running", 2, 3);
  const std::string page = report_of(made);
  CHECK(has(page, "4 runs are not over"));
  CHECK(has(page, "id=\"unfinished\""));
  CHECK(has(page, "at step 400 of 1000"));
  CHECK(has(page, "not begun"));
  CHECK(has(page, "? undecided"));
  CHECK(has(page, "<b>12</b> of 16 runs over"));
}

TEST_CASE("the same runs give the same bytes but for the date, and nothing half-written stays") {
  const test::TemporaryFolder folder;
  const MadeUp made = make_experiment(folder / "same", 2);
  const auto undated = [](const std::string& page) { return page.substr(0, page.find("<footer>")); };
  const std::string first = undated(report_of(made));
  std::string files;
  for (const char* name : {"loss.csv", "gradients.csv", "distances.csv"})
    files += read_file(made.folder / "figures" / name);
  CHECK(undated(report_of(made)) == first);
  std::string again;
  for (const char* name : {"loss.csv", "gradients.csv", "distances.csv"})
    again += read_file(made.folder / "figures" / name);
  CHECK(again == files);
  for (const auto& entry : fs::recursive_directory_iterator(made.folder)) CHECK(entry.path().extension() != ".part");
}

TEST_CASE("an experiment that asks for no figure shows its validation loss") {
  const test::TemporaryFolder folder;
  MadeUp made = make_experiment(folder / "plain", 2);
  made.experiment.figures.clear();
  const std::string page = report_of(made);
  CHECK(has(page, "Validation loss over training"));
  CHECK(fs::exists(made.folder / "figures/validation.csv"));
}

TEST_CASE("a drawing of an earlier report does not stand beside new numbers") {
  const test::TemporaryFolder folder;
  const MadeUp made = make_experiment(folder / "drawn", 2);
  const fs::path drawing = made.folder / "figures/loss.svg";
  fs::create_directories(drawing.parent_path());
  write_file(drawing, "an earlier one");
  const test::Path nowhere(folder.path().string());  // without gnuplot
  report_of(made);
  CHECK(!fs::exists(drawing));
  CHECK(fs::exists(made.folder / "figures/loss.csv"));
}

TEST_CASE("the report of 200 runs is built in under 5 seconds") {
  const test::TemporaryFolder folder;
  make_experiment(folder / "large", 25);
  const auto start = std::chrono::steady_clock::now();
  const Experiment experiment = read_experiment((folder / "large/experiment.json").string());
  const std::vector<ObservedRun> runs = observe(experiment, folder / "large");
  REQUIRE(runs.size() == 200);
  write_report(experiment, runs, judge(experiment, runs), folder / "large");
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  INFO(seconds << " s");
  CHECK(seconds < 5);
  CHECK(fs::file_size(folder / "large/report.html") < 2'000'000);
}

TEST_CASE("numbers have four digits and words where they are none") {
  CHECK(number_text(1.66321) == "1.663");
  CHECK(number_text(0.0123456) == "0.01235");
  CHECK(number_text(1234.56) == "1235");
  CHECK(number_text(2) == "2");
  CHECK(number_text(0) == "0");
  CHECK(number_text(-0.5) == "-0.5");
  CHECK(number_text(1.5e-7) == "1.5e-07");
  CHECK(number_text(INFINITY) == "infinite");
  CHECK(number_text(NAN) == "-");
  CHECK(interval_text(1.62, 1.706) == "1.62 to 1.706");
  CHECK(interval_text(1.62, INFINITY) == "1.62 to infinite");
  CHECK(interval_text(-INFINITY, INFINITY) == "");
  CHECK(time_text(8.21) == "8.2 s");
  CHECK(time_text(720) == "12 min");
  CHECK(time_text(12000) == "3 h 20 min");
}

TEST_CASE("the index has a row for each claim, linked to its report, in the order of their numbers") {
  const test::TemporaryFolder folder;
  MadeUp one = make_experiment(folder / "one", 3), two = make_experiment(folder / "two", 3, 3);
  one.results[1].id = "X10";
  MadeUp none = two;
  none.folder = folder / "none";
  none.results.clear();
  write_index({entry_of(one), entry_of(two), entry_of(none)}, folder.path());
  const std::string page = read_file(folder / "index.html");
  std::size_t at = 0;
  for (const char* row :
       {"data-key=\"X1\"", "data-key=\"X1\"", "data-key=\"X2\"", "data-key=\"X10\"", "none/report.html"}) {
    INFO(row);
    at = page.find(row, at + 1);
    CHECK(at != std::string::npos);
  }
  CHECK(has(page, "<a href=\"one/report.html\">one</a>"));
  CHECK(has(page, "<option>Nobody et al. 2020</option><option>Somebody et al. 2021</option>"));
  CHECK(has(page, "data-verdict=\"did-not-hold\""));
  CHECK(has(page, "2 undecided</button>"));
  CHECK(!has(page, "<i>higher"));
  CHECK(!has(page, "src="));
}

TEST_CASE("numbers inside names are compared as numbers") {
  CHECK(natural_less("X2", "X10"));
  CHECK(!natural_less("X10", "X2"));
  CHECK(natural_less("S8a", "S8b"));
  CHECK(natural_less("S9", "X1"));
  CHECK(natural_less("X1", "X1a"));
  CHECK(!natural_less("X1", "X1"));
}

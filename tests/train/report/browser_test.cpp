// The pages in a real browser, at the widths of a phone and of a desk: nothing is wider than the window.
#include <string>

#include "folders.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "train/process.h"
#include "train/report/index.h"

using namespace normlab;
using made_up::MadeUp;
using made_up::make_experiment;
namespace fs = std::filesystem;

namespace {

// Of a copy of the page with every fold open, in a frame of that width (a window of Chromium's own has at least 500):
// "390 390", the width of the frame and that of what stands in it.
std::string widths(const std::string& browser, const fs::path& page, int width) {
  const fs::path copy = page.string() + ".copy.html", frame = page.string() + ".frame.html";
  write_file(copy, read_file(page) +
                       "<script>for (const fold of document.querySelectorAll('details')) fold.open = true;"
                       "parent.postMessage(innerWidth + ' ' + document.documentElement.scrollWidth, '*');</script>");
  write_file(frame, text("<body><script>onmessage = told => document.body.dataset.widths = told.data;</script>",
                         "<iframe style='border: 0; width: ", width, "px; height: 900px' src='",
                         copy.filename().string(), "'></iframe></body>"));
  const Outcome outcome =
      run_programs({{browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                     text("--user-data-dir=", (page.parent_path() / "browser").string()), "--virtual-time-budget=5000",
                     "--window-size=1400,1000", "--dump-dom", "file://" + frame.string()}});
  const std::string mark = "data-widths=\"";
  const std::size_t begin = outcome.out.find(mark);
  if (begin == std::string::npos) return "the page was not shown: " + outcome.error.substr(0, 300);
  return outcome.out.substr(begin + mark.size(), outcome.out.find('"', begin + mark.size()) - begin - mark.size());
}

std::string installed_browser() {
  for (const std::string name : {"chromium", "chromium-browser", "google-chrome"}) {
    try {
      if (run_programs({{name, "--version"}}).status == 0) return name;
    } catch (const MachineError&) {
    }
  }
  return "";
}

}  // namespace

TEST_CASE("no page is wider than a phone's or a desk's window", "[slow]") {
  const std::string browser = installed_browser();
  if (browser.empty()) {
    WARN("Chromium is not installed: the pages are not looked at (Debian: chromium)");
    return;
  }
  const test::TemporaryFolder folder;
  MadeUp made = make_experiment(folder / "experiment", 3);
  made.results[0].claim += " " + std::string(200, 'x');  // a word without end
  write_report(made.experiment, made.runs, made.results, made.folder);
  write_index({{made.folder, made.experiment.question, count(made.runs), "2026-11-21", made.results}}, folder.path());
  for (const int width : {390, 1280}) {
    const std::string fits = text(width, " ", width);
    CHECK(widths(browser, made.folder / "report.html", width) == fits);
    CHECK(widths(browser, folder / "index.html", width) == fits);
  }
}

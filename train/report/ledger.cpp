// Rows as CSV; the Markdown is made of them anew each time.
#include "ledger.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "../../engine/error.h"
#include "../csv.h"
#include "../files.h"
#include "html.h"
#include "index.h"

namespace normlab {
namespace {

namespace fs = std::filesystem;

const std::string kBegin = "<!-- ledger -->", kEnd = "<!-- /ledger -->";
const CsvRow kColumns = {"id",         "claim", "source",  "verdict", "reason", "value",   "low",
                         "high",       "paper", "seeds",   "method",  "rule",   "measure", "evidence",
                         "experiment", "date",  "machine", "commit",  "differs"};
using Row = std::map<std::string, std::string>;  // by column

// What an experiment is called in the ledger of "xiong2020": without that folder's name in front.
std::string name_in(const fs::path& paper_folder, const fs::path& experiment_folder) {
  const std::string name = experiment_name(experiment_folder);
  const std::string paper = fs::weakly_canonical(paper_folder).filename().string() + "/";
  return name.rfind(paper, 0) == 0 ? name.substr(paper.size()) : name;
}

Row row_of(const ClaimResult& result, const std::string& experiment, const Provenance& made) {
  const std::string machine =
      made.of("processor") + (made.of("threads").empty() ? "" : ", threads: " + made.of("threads"));
  return {{"id", result.id},
          {"claim", result.claim},
          {"source", result.source},
          {"verdict", name_of(result.verdict)},
          {"reason", result.reason},
          {"value", fmt::format("{}", result.value)},
          {"low", fmt::format("{}", result.low)},
          {"high", fmt::format("{}", result.high)},
          {"paper", result.paper ? fmt::format("{}", *result.paper) : ""},
          {"seeds", fmt::format("{}", result.seeds)},
          {"method", result.method},
          {"rule", result.rule},
          {"measure", result.measure},
          {"evidence", result.evidence ? "yes" : "no"},
          {"experiment", experiment},
          {"date", made.date()},
          {"machine", machine},
          {"commit", made.of("commit")},
          {"differs", result.differs}};
}

std::vector<Row> read_rows(const fs::path& file) {
  if (!fs::exists(file)) return {};
  const std::vector<CsvRow> lines = read_csv(read_file(file));
  std::vector<Row> rows;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    check(lines[i].size() == lines[0].size(), file.string(), ":", i + 1, ": must have ", lines[0].size(),
          " cells, has ", lines[i].size());
    for (std::size_t k = 0; k < lines[i].size(); ++k) {
      if (k == 0) rows.emplace_back();
      rows.back()[lines[0][k]] = lines[i][k];
    }
  }
  return rows;
}

void write_rows(const std::vector<Row>& rows, const fs::path& file) {
  std::vector<CsvRow> lines = {kColumns};
  for (const Row& row : rows) {
    lines.emplace_back();
    for (const std::string& column : kColumns) lines.back().push_back(row.count(column) ? row.at(column) : "");
  }
  write_file(file, to_csv(lines));
}

// --- Markdown --------------------------------------------------------------------------------------------------------

// Plain text in a cell of a Markdown table.
std::string in_cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (std::string("|*`\\<>[]").find(c) != std::string::npos) out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

double number_of(const std::string& cell) {
  try {
    return std::stod(cell);
  } catch (const std::exception&) {
    return std::nan("");
  }
}

std::string measured(const Row& row) {
  const std::string interval = interval_text(number_of(row.at("low")), number_of(row.at("high")));
  return number_text(number_of(row.at("value"))) + (interval.empty() ? "" : " (" + interval + ")");
}

std::string verdict_of(const Row& row) {
  return "**" + row.at("verdict") + "**" + (row.at("evidence") == "no" ? ", no evidence" : "");
}

std::string paper_value(const Row& row) {
  return row.at("paper").empty() ? "" : number_text(number_of(row.at("paper")));
}

std::string table(const std::vector<Row>& rows, const fs::path& paper_folder) {
  std::string out = "| id | claim | verdict | ours (95 %) | paper | rule | seeds | experiment |\n";
  out += "| --- | --- | --- | --- | --- | --- | --- | --- |\n";
  for (const Row& row : rows) {
    const std::string& experiment = row.at("experiment");
    const bool config = fs::exists(paper_folder / (experiment + ".json"));
    const std::string source = row.at("source").empty() ? "" : " (" + row.at("source") + ")";
    out += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", in_cell(row.at("id")),
                       in_cell(row.at("claim") + source), verdict_of(row), measured(row), paper_value(row),
                       in_cell(row.at("rule")), row.at("seeds"),
                       config ? fmt::format("[{0}]({0}.json)", experiment) : in_cell(experiment));
  }
  return out;
}

// Lines "- X3-last, X3-post-W1: text", each text once, in the order of its first id. Ids are Markdown, texts plain.
class TextsById {
 public:
  void add(const std::string& id, const std::string& text) {
    if (text.empty()) return;
    auto line = std::find_if(lines_.begin(), lines_.end(), [&](const Line& known) { return known.text == text; });
    if (line == lines_.end()) line = lines_.insert(line, Line{{}, text});
    if (std::find(line->ids.begin(), line->ids.end(), id) == line->ids.end()) line->ids.push_back(id);
  }
  // The lines under a title; nothing when there is none.
  std::string under(const std::string& title) const {
    if (lines_.empty()) return "";
    std::string out = "\n" + title + ":\n\n";
    for (const Line& line : lines_) {
      out += fmt::format("- {}: {}\n", fmt::join(line.ids, ", "), in_cell(line.text));
    }
    return out;
  }

 private:
  struct Line {
    std::vector<std::string> ids;
    std::string text;
  };
  std::vector<Line> lines_;
};

// Where the ledger of a paper keeps the final figures of each run of an experiment.
fs::path runs_file(const fs::path& paper_folder, const std::string& experiment) {
  return paper_folder / "runs" / (experiment + ".csv");
}

// What was measured on which machine, what differs from the paper, and why a claim is not said to hold.
std::string notes(const std::vector<Row>& rows, const fs::path& paper_folder) {
  TextsById made, differs, reasons;
  bool linked = false;
  for (const Row& row : rows) {
    const std::string &experiment = row.at("experiment"), id = in_cell(row.at("id"));
    const bool link = fs::exists(runs_file(paper_folder, experiment));
    linked = linked || link;
    const std::string commit = row.at("commit").empty() ? "" : ", commit " + row.at("commit");
    made.add(link ? fmt::format("[{0}](runs/{0}.csv)", experiment) : in_cell(experiment),
             fmt::format("{}, {}{}", row.at("date"), row.at("machine"), commit));
    differs.add(id, row.at("differs"));
    if (row.at("verdict") != "held") reasons.add(id, row.at("verdict") + ": " + row.at("reason"));
  }
  return made.under(linked ? "Measured (a link leads to the final figures of each run)" : "Measured") +
         differs.under("What differs from the paper") + reasons.under("Why a claim is not said to hold");
}

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> all;
  if (fs::is_directory(folder)) {
    for (const auto& entry : fs::directory_iterator(folder)) all.push_back(entry.path());
  }
  std::sort(all.begin(), all.end());
  return all;
}

// The title inside an SVG file of ours.
std::string title_of(const fs::path& svg) {
  const std::string content = read_file(svg);
  const std::size_t begin = content.find("<title>"), end = content.find("</title>");
  return begin < end && end != std::string::npos ? content.substr(begin + 7, end - begin - 7) : svg.stem().string();
}

std::string figures(const std::vector<Row>& rows, const fs::path& paper_folder) {
  std::vector<std::string> experiments;
  for (const Row& row : rows) {
    if (std::find(experiments.begin(), experiments.end(), row.at("experiment")) == experiments.end()) {
      experiments.push_back(row.at("experiment"));
    }
  }
  std::string out;
  for (const std::string& experiment : experiments) {
    for (const fs::path& file : sorted_entries(paper_folder / "figures" / experiment)) {
      if (file.extension() != ".svg") continue;
      const std::string place = "figures/" + experiment + "/" + file.stem().string(), title = title_of(file);
      out += fmt::format("\n**{0}** ({1}; [the numbers]({2}.csv))\n\n![{0}]({2}.svg)\n", title, experiment, place);
    }
  }
  return out;
}

// The verdicts of all papers beside each other: `papers` is the folder of their folders.
std::string short_ledger(const fs::path& papers, const fs::path& page_folder) {
  std::string out = "| id | claim | verdict | ours (95 %) | paper |\n| --- | --- | --- | --- | --- |\n";
  for (const fs::path& folder : sorted_entries(papers)) {
    const std::string link = fs::proximate(folder / "README.md", page_folder).generic_string();
    for (const Row& row : read_rows(folder / "ledger.csv")) {
      out += fmt::format("| [{}]({}) | {} | {} | {} | {} |\n", in_cell(row.at("id")), link, in_cell(row.at("claim")),
                         verdict_of(row), measured(row), paper_value(row));
    }
  }
  return out;
}

bool is_of_a_figure(const fs::path& file) { return file.extension() == ".svg" || file.extension() == ".csv"; }

// What `from` no longer has is removed: its numbers are not those of the verdicts.
void copy_figures(const fs::path& from, const fs::path& to) {
  for (const fs::path& file : sorted_entries(to)) {
    if (is_of_a_figure(file) && !fs::exists(from / "figures" / file.filename())) fs::remove(file);
  }
  for (const fs::path& file : sorted_entries(from / "figures")) {
    if (!is_of_a_figure(file)) continue;
    require_writable_directory(to);
    write_file(to / file.filename(), read_file(file));
  }
}

// An older experiment may have none; then none stays from before, since its numbers are not those of the verdicts.
void copy_runs(const fs::path& from, const fs::path& to) {
  const fs::path summary = from / "summary.csv";
  if (!fs::exists(summary)) {
    fs::remove(to);
    return;
  }
  require_writable_directory(to.parent_path());
  write_file(to, read_file(summary));
}

}  // namespace

std::string with_ledger(const std::string& page, const std::string& ledger) {
  const std::size_t begin = page.find(kBegin), end = page.find(kEnd);
  if (begin == std::string::npos && end == std::string::npos) {
    return page + (page.empty() ? "" : "\n") + "## Measured\n\n" + kBegin + "\n" + ledger + kEnd + "\n";
  }
  check(begin != std::string::npos && end != std::string::npos && begin < end, "ledger: the page must have ", kBegin,
        " and after it ", kEnd, ", it has only one of them or has them in the wrong order");
  return page.substr(0, begin + kBegin.size()) + "\n" + ledger + page.substr(end);
}

void write_ledger(const std::vector<LedgerEntry>& entries, const fs::path& paper_folder) {
  require_writable_directory(paper_folder);
  std::vector<Row> rows = read_rows(paper_folder / "ledger.csv");
  for (const LedgerEntry& entry : entries) {
    const std::string name = name_in(paper_folder, entry.folder);
    std::erase_if(rows, [&](const Row& row) { return row.at("experiment") == name; });
    for (const ClaimResult& result : entry.results) rows.push_back(row_of(result, name, entry.made));
    copy_figures(entry.folder, paper_folder / "figures" / name);
    copy_runs(entry.folder, runs_file(paper_folder, name));
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return natural_less(a.at("id"), b.at("id")); });

  const fs::path page = paper_folder / "README.md";
  const std::string before =
      fs::exists(page) ? read_file(page) : "# " + fs::weakly_canonical(paper_folder).filename().string() + "\n";
  const std::string ledger = table(rows, paper_folder) + notes(rows, paper_folder) + figures(rows, paper_folder);
  const std::string after = with_ledger(before, ledger);
  write_rows(rows, paper_folder / "ledger.csv");
  write_file(page, after);

  const fs::path papers = fs::weakly_canonical(paper_folder).parent_path(), top = papers.parent_path() / "README.md";
  if (!fs::exists(top)) return;
  const std::string text = read_file(top);
  if (text.find(kBegin) != std::string::npos)
    write_file(top, with_ledger(text, short_ledger(papers, top.parent_path())));
}

}  // namespace normlab

// The table, its controls, and the script that filters and sorts.
#include "index.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <set>

#include "../files.h"
#include "html.h"
#include "verdict_html.h"

namespace normlab {
namespace {

namespace fs = std::filesystem;

const char* const kScript = R"js(
const table = document.querySelector('.ledger'), body = table.tBodies[0], rows = [...body.rows];
const words = document.querySelector('#words'), paper = document.querySelector('#paper'),
  shown = document.querySelector('#shown');
const buttons = [...document.querySelectorAll('.controls button')];
let verdict = '';
function filter() {
  const asked = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = (verdict && row.dataset.verdict !== verdict) || (paper.value && row.dataset.paper !== paper.value) ||
      !asked.every(word => text.includes(word));
    count += !row.hidden;
  }
  shown.textContent = count === rows.length ? '' : count + ' of ' + rows.length + ' shown';
}
for (const button of buttons) button.onclick = () => {
  verdict = button.dataset.verdict;
  for (const other of buttons) other.setAttribute('aria-pressed', other === button);
  filter();
};
words.oninput = paper.onchange = filter;
const order = new Intl.Collator('en', {numeric: true});
for (const head of table.tHead.rows[0].cells) head.firstElementChild.onclick = () => {
  const down = head.getAttribute('aria-sort') === 'ascending';
  for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
  head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
  const number = head.classList.contains('number');
  const key = row => row.cells[head.cellIndex].dataset.key;
  const sorted = [...rows].sort((a, b) => {
    if (!key(a) || !key(b)) return !key(a) - !key(b);
    return (down ? -1 : 1) * (number ? key(a) - key(b) : order.compare(key(a), key(b)));
  });
  body.append(...sorted);
};
document.querySelector('.controls').hidden = false;
)js";

struct Row {
  const IndexEntry* entry;
  const ClaimResult* result;  // nullptr for an experiment without claims
};

std::string cell(const std::string& key, const std::string& content, const std::string& label = "",
                 const std::string& kind = "") {
  return fmt::format("<td{}{} data-key=\"{}\">{}</td>", kind.empty() ? "" : fmt::format(" class=\"{}\"", kind),
                     label.empty() ? "" : fmt::format(" data-label=\"{}\"", label), escaped(key), content);
}

// A number as the script reads it; empty for none.
std::string key_of(double value) {
  if (std::isnan(value)) return "";
  return std::isinf(value) ? (value > 0 ? "Infinity" : "-Infinity") : fmt::format("{}", value);
}

std::string row_html(const Row& row, const fs::path& folder) {
  const IndexEntry& entry = *row.entry;
  const fs::path report = fs::proximate(entry.folder, folder) / "report.html";
  const std::string name = experiment_name(entry.folder);
  const std::string link = fmt::format("<a href=\"{}\">{}</a>", escaped(report.generic_string()), escaped(name));
  const std::string runs = entry.counts.over() == entry.counts.all()
                               ? fmt::format("{}", entry.counts.all())
                               : fmt::format("{} of {}", entry.counts.over(), entry.counts.all());
  std::string out;
  if (row.result == nullptr) {
    out = "<tr data-verdict=\"\" data-paper=\"\">" + cell("", "") +
          cell(entry.question, escaped(entry.question), "", "claim");
    out += cell("", "") + cell("", "") + cell("", "");
  } else {
    const ClaimResult& r = *row.result;
    const std::string interval = interval_text(r.low, r.high);
    const std::string value =
        number_text(r.value) +
        (interval.empty() ? "" : fmt::format(" <span class=\"small soft below\">{}</span>", interval));
    const std::string source = fmt::format(
        "{}{}<span class=\"small soft below\">{}</span>", escaped(r.claim),
        r.evidence ? "" : " <span class=\"small soft\">(too small to be evidence)</span>", escaped(r.source));
    out = fmt::format("<tr class=\"{}\" data-verdict=\"{}\" data-paper=\"{}\">", class_of(r.verdict),
                      class_of(r.verdict), escaped(paper_of(r)));
    out += cell(r.id, escaped(r.id)) + cell(r.claim, source, "", "claim");
    out += cell(fmt::format("{}", static_cast<int>(r.verdict)), stamp(r.verdict));
    out += cell(key_of(r.value), value, "ours", "number");
    out += cell(r.paper ? key_of(*r.paper) : "", r.paper ? number_text(*r.paper) : "", "paper", "number");
  }
  return out + cell(name, link, "in") + cell(fmt::format("{}", entry.counts.over()), runs, "runs over", "number") +
         cell(entry.date, escaped(entry.date), "on") + "</tr>\n";
}

std::string controls(const std::vector<Row>& rows) {
  std::map<Verdict, int> counts;
  std::set<std::string> papers;
  for (const Row& row : rows) {
    if (row.result == nullptr) continue;
    ++counts[row.result->verdict];
    papers.insert(paper_of(*row.result));
  }
  std::string out = "<div class=\"controls\" hidden>\n<button aria-pressed=\"true\" data-verdict=\"\">all</button>\n";
  for (const auto& [verdict, count] : counts) {
    out += fmt::format("<button aria-pressed=\"false\" data-verdict=\"{}\">{} {}</button>\n", class_of(verdict), count,
                       name_of(verdict));
  }
  out += "<select id=\"paper\" aria-label=\"Paper\"><option value=\"\">every paper</option>";
  for (const std::string& paper : papers) out += fmt::format("<option>{}</option>", escaped(paper));
  return out +
         "</select>\n<input id=\"words\" type=\"search\" placeholder=\"Words to find\" aria-label=\"Words to find\">\n"
         "<span id=\"shown\" class=\"small soft\" role=\"status\"></span>\n</div>\n";
}

}  // namespace

std::string paper_of(const ClaimResult& result) { return result.source.substr(0, result.source.find(',')); }

bool natural_less(const std::string& a, const std::string& b) {
  std::size_t i = 0, j = 0;
  const auto digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  while (i < a.size() && j < b.size()) {
    if (!digit(a[i]) || !digit(b[j])) {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i, ++j;
      continue;
    }
    const auto number = [&](const std::string& word, std::size_t& at) {
      while (at + 1 < word.size() && word[at] == '0' && digit(word[at + 1])) ++at;
      const std::size_t begin = at;
      while (at < word.size() && digit(word[at])) ++at;
      return word.substr(begin, at - begin);
    };
    const std::string left = number(a, i), right = number(b, j);
    if (left != right) return left.size() != right.size() ? left.size() < right.size() : left < right;
  }
  return a.size() - i < b.size() - j;
}

void write_index(const std::vector<IndexEntry>& entries, const fs::path& folder) {
  std::vector<Row> rows;
  for (const IndexEntry& entry : entries) {
    if (entry.results.empty()) rows.push_back({&entry, nullptr});
    for (const ClaimResult& result : entry.results) rows.push_back({&entry, &result});
  }
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    if (!a.result || !b.result) return a.result != nullptr && b.result == nullptr;
    return natural_less(a.result->id, b.result->id);
  });

  std::string body = "<header>\n<p class=\"eyebrow\">Normlab</p>\n<h1>What the runs say about the claims</h1>\n";
  body += fmt::format(
      "<p class=\"soft\">{} experiment{} in {}. A verdict is computed from the runs by the rule that their config "
      "states; each links to its report.</p>\n</header>\n<main>\n",
      entries.size(), entries.size() == 1 ? "" : "s", escaped(fs::weakly_canonical(folder).filename().string()));
  body += controls(rows) + "<div class=\"scroll\"><table class=\"ledger\">\n<thead><tr>";
  for (const std::string head : {"Id", "Claim", "Verdict", "Ours", "Paper", "Experiment", "Runs", "Date"}) {
    const bool number = head == "Ours" || head == "Paper" || head == "Runs";
    body += fmt::format("<th scope=\"col\"{}><button>{}</button></th>", number ? " class=\"number\"" : "", head);
  }
  body += "</tr></thead>\n<tbody>\n";
  for (const Row& row : rows) body += row_html(row, folder);
  body += "</tbody>\n</table></div>\n</main>\n";
  write_file(folder / "index.html", page("Normlab: what the runs say about the claims", body, kScript));
}

}  // namespace normlab

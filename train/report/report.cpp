// The sections of the report, in the order in which they stand on the page.
#include "report.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>

#include "../files.h"
#include "arms_html.h"
#include "figure_html.h"
#include "html.h"
#include "provenance.h"
#include "verdict_html.h"

namespace normlab {
namespace {

namespace fs = std::filesystem;

std::string section(const std::string& id, const std::string& title, const std::string& content) {
  if (content.empty()) return "";
  return fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n{}</section>\n", id, title, content);
}

std::string plural(int count, const std::string& word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

// --- the question ----------------------------------------------------------------------------------------------------

std::string header(const Experiment& experiment, const std::vector<ClaimResult>& results, const RunCounts& counts,
                   const std::string& name) {
  std::string facts;
  const auto fact = [&](const std::string& words) { facts += "<li>" + words + "</li>\n"; };
  std::map<Verdict, int> verdicts;
  for (const ClaimResult& result : results) ++verdicts[result.verdict];
  for (const auto& [verdict, number] : verdicts) fact(fmt::format("<b>{}</b> {}", number, name_of(verdict)));
  fact(fmt::format("<b>{}</b> of {} over", counts.over(), plural(counts.all(), "run")));
  if (counts.diverged > 0) fact(fmt::format("<b>{}</b> diverged", counts.diverged));
  if (counts.seconds > 0) fact(fmt::format("<b>{}</b> of computing", time_text(counts.seconds)));
  std::string out =
      fmt::format("<header>\n<p class=\"eyebrow\">Normlab · {}</p>\n<h1>{}</h1>\n<ul class=\"facts\">\n{}</ul>\n",
                  escaped(name), escaped(experiment.question.empty() ? name : experiment.question), facts);
  if (counts.over() < counts.all()) {
    out += fmt::format(
        "<p class=\"notice\">{} not over: everything below is what there is so far. "
        "<a href=\"#unfinished\">Which ones</a></p>\n",
        counts.all() - counts.over() == 1 ? "One run is" : fmt::format("{} runs are", counts.all() - counts.over()));
  }
  return out + "</header>\n";
}

// --- what it was made with -------------------------------------------------------------------------------------------

std::string differences(const std::vector<ClaimResult>& results) {
  std::vector<std::pair<std::string, std::string>> texts;  // what differs, and for which claims
  for (const ClaimResult& result : results) {
    if (result.differs.empty()) continue;
    const auto same = [&](const auto& known) { return known.first == result.differs; };
    const auto found = std::find_if(texts.begin(), texts.end(), same);
    if (found == texts.end()) {
      texts.emplace_back(result.differs, result.id);
    } else {
      found->second += ", " + result.id;
    }
  }
  std::string out;
  for (const auto& [text, ids] : texts) out += fmt::format("<p><b>{}</b> {}</p>\n", escaped(ids), escaped(text));
  return out;
}

std::string environment(const Provenance& made) {
  std::string rows;
  const auto row = [&](const std::string& name, const std::string& value) {
    if (!value.empty())
      rows += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", escaped(name), escaped(value));
  };
  for (const auto& [name, unused] : made.environment) row(in_words(name), made.of(name));
  row("first run begun", made.first_started);
  if (made.last_started != made.first_started) row("last run begun", made.last_started);
  return rows.empty() ? "" : "<table class=\"facts-table\"><tbody>\n" + rows + "</tbody></table>\n";
}

std::string unfinished(const Experiment& experiment, const std::vector<ObservedRun>& runs) {
  std::string rows;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const ObservedRun& run = runs[i];
    if (run.over()) continue;
    std::string state = "not begun";
    if (run.state == RunState::unfinished) {
      std::int64_t step = 0;
      for (const auto& [unused, all] : run.quantities) {
        if (!all.empty()) step = std::max(step, all.back().step);
      }
      const std::int64_t steps = experiment.runs[i].config.train.steps;
      state = fmt::format("at step {}{}", step, steps > 0 ? fmt::format(" of {}", steps) : "");
    }
    rows += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n",
                        escaped(run.name.empty() ? "the run" : run.name), state);
  }
  return rows.empty() ? "" : "<div class=\"scroll\"><table><tbody>\n" + rows + "</tbody></table></div>\n";
}

std::string now() {
  const auto time = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  char words[32];
  std::strftime(words, sizeof words, "%Y-%m-%d %H:%M UTC", std::gmtime(&time));
  return words;
}

}  // namespace

void write_report(const Experiment& experiment, const std::vector<ObservedRun>& runs,
                  const std::vector<ClaimResult>& results, const fs::path& folder) {
  const std::string name = experiment_name(folder);
  const RunCounts counts = count(runs);
  std::string body = header(experiment, results, counts, name) + "<main>\n";
  body += section("verdicts", results.size() == 1 ? "Verdict" : "Verdicts", verdicts_html(experiment, results));
  body += section("figures", "Figures", figures_html(experiment, runs, folder));
  body += section("arms", "Arms", arms_html(runs));
  body += section("differs", "What differs from the paper", differences(results));
  body += section("command", "Command", "<pre class=\"wrap\">" + escaped(command_of(folder)) + "</pre>\n");
  body += section("environment", "Environment", environment(provenance(experiment, folder)));
  body += section("config", "Config",
                  "<details><summary>The whole config, with every default</summary>\n<pre>" +
                      escaped(to_lines(experiment.resolved)) + "</pre></details>\n");
  body += section("unfinished", "Runs that are not over", unfinished(experiment, runs));
  body += fmt::format("</main>\n<footer>Computed by Normlab from the files of the runs, {}.</footer>\n", now());
  write_file(folder / "report.html", page(experiment.question.empty() ? name : experiment.question, body));
}

}  // namespace normlab

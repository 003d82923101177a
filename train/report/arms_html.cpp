// Arms, the quantities of the whole model, and those measured at sites.
#include "arms_html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "../experiment/experiment.h"
#include "../experiment/statistics.h"
#include "../experiment/sweep_config.h"
#include "html.h"

namespace normlab {
namespace {

constexpr std::size_t kMostSites = 100;  // of a table

struct ArmRuns {
  std::string label;
  std::vector<const ObservedRun*> runs;
};

std::vector<ArmRuns> arms_of(const std::vector<ObservedRun>& runs) {
  std::vector<ArmRuns> arms;
  for (const ObservedRun& run : runs) {
    const std::string label = label_of(run.arms);
    const auto same = [&](const ArmRuns& arm) { return arm.label == label; };
    auto found = std::find_if(arms.begin(), arms.end(), same);
    if (found == arms.end()) found = arms.insert(found, ArmRuns{label, {}});
    found->runs.push_back(&run);
  }
  return arms;
}

bool ends_with(const std::string& word, const std::string& end) {
  return word.size() >= end.size() && word.compare(word.size() - end.size(), end.size(), end) == 0;
}

bool is_perplexity(const std::string& quantity) { return quantity.find("_perplexity") != std::string::npos; }

// Measures of the whole model in evaluations, perplexities first; losses say the same as these.
std::vector<std::string> evaluated(const std::vector<ObservedRun>& runs) {
  std::set<std::string> perplexities, scores;
  for (const ObservedRun& run : runs) {
    for (const auto& [quantity, unused] : run.quantities) {
      const bool evaluation = quantity.rfind("valid_", 0) == 0 || quantity.rfind("test_", 0) == 0;
      if (!evaluation || quantity.find("_nll") != std::string::npos) continue;
      (is_perplexity(quantity) ? perplexities : scores).insert(quantity);
    }
  }
  std::vector<std::string> all(perplexities.rbegin(), perplexities.rend());  // valid before test
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return !ends_with(a, "_by_batch_statistics") && ends_with(b, "_by_batch_statistics");
  });
  all.insert(all.end(), scores.rbegin(), scores.rend());
  return all;
}

// The last value of each run at a site.
std::vector<double> last_values(const ArmRuns& arm, const std::string& quantity, const std::string& site) {
  std::vector<double> values;
  for (const ObservedRun* run : arm.runs) {
    if (!run->over() || run->state == RunState::diverged) continue;
    const std::optional<double> value = run->last(quantity, site);
    if (value && std::isfinite(*value)) values.push_back(*value);
  }
  return values;
}

// The mean (of perplexities the geometric one) with its 95 % interval below it.
std::string mean_cell(std::vector<double> values, bool geometric) {
  if (values.empty()) return "<td class=\"number\">-</td>";
  if (geometric) {
    for (double& value : values) value = std::log(value);
  }
  const Interval interval = mean_interval(values);
  const auto shown = [&](double value) { return geometric ? std::exp(value) : value; };
  std::string out = fmt::format("<td class=\"number\">{}", number_text(shown(interval.mean)));
  if (std::isfinite(interval.half_width)) {
    out += fmt::format(
        "<br><span class=\"small soft\">{}</span>",
        interval_text(shown(interval.mean - interval.half_width), shown(interval.mean + interval.half_width)));
  }
  return out + "</td>";
}

// How many runs diverged, and at which steps.
std::string diverged_cell(const ArmRuns& arm) {
  std::vector<std::string> steps;
  for (const ObservedRun* run : arm.runs) {
    if (run->state == RunState::diverged) steps.push_back(fmt::format("{}", run->result->diverged_step));
  }
  if (steps.empty()) return "<td class=\"number\">0</td>";
  return fmt::format("<td class=\"number\">{}<br><span class=\"small soft\">step {}</span></td>", steps.size(),
                     fmt::join(steps, ", "));
}

std::string arms_table(const std::vector<ArmRuns>& arms, const std::vector<std::string>& quantities) {
  std::string head = "<th scope=\"col\">Arm</th><th scope=\"col\" class=\"number\">Runs over</th>";
  const auto diverged = [](const ObservedRun* run) { return run->state == RunState::diverged; };
  const bool any = std::any_of(arms.begin(), arms.end(), [&](const ArmRuns& arm) {
    return std::any_of(arm.runs.begin(), arm.runs.end(), diverged);
  });
  if (any) head += "<th scope=\"col\" class=\"number\">Diverged</th>";
  for (const std::string& quantity : quantities) {
    head += fmt::format("<th scope=\"col\" class=\"number\">{}</th>", escaped(in_words(quantity)));
  }
  std::string rows;
  for (const ArmRuns& arm : arms) {
    const auto over =
        std::count_if(arm.runs.begin(), arm.runs.end(), [](const ObservedRun* run) { return run->over(); });
    rows += fmt::format("<tr><th scope=\"row\">{}</th><td class=\"number\">{} of {}</td>", escaped(arm.label), over,
                        arm.runs.size());
    if (any) rows += diverged_cell(arm);
    for (const std::string& quantity : quantities)
      rows += mean_cell(last_values(arm, quantity, ""), is_perplexity(quantity));
    rows += "</tr>\n";
  }
  return fmt::format("<div class=\"scroll\"><table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody>\n</table></div>\n",
                     head, rows);
}

// What probes and measurements told last, a row for each site and a column for each arm.
std::string site_table(const std::vector<ArmRuns>& arms, const std::string& quantity,
                       const std::vector<std::string>& sites) {
  std::string head = "<th scope=\"col\">Site</th>", rows;
  for (const ArmRuns& arm : arms) head += fmt::format("<th scope=\"col\" class=\"number\">{}</th>", escaped(arm.label));
  for (std::size_t i = 0; i < std::min(sites.size(), kMostSites); ++i) {
    rows += fmt::format("<tr><th scope=\"row\">{}</th>", escaped(sites[i].empty() ? "whole" : sites[i]));
    for (const ArmRuns& arm : arms) rows += mean_cell(last_values(arm, quantity, sites[i]), false);
    rows += "</tr>\n";
  }
  return fmt::format(
      "<details><summary>{}{}</summary>\n<div "
      "class=\"scroll\"><table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody>\n"
      "</table></div></details>\n",
      escaped(in_words(quantity)),
      sites.size() > kMostSites ? fmt::format(" (the first {} of {} sites)", kMostSites, sites.size()) : "", head,
      rows);
}

std::string measured(const std::vector<ArmRuns>& arms, const std::vector<ObservedRun>& runs) {
  std::map<std::string, std::vector<std::string>> sites;
  std::set<std::pair<std::string, std::string>> known;
  for (const ObservedRun& run : runs) {
    for (const auto& [quantity, observations] : run.quantities) {
      if (!is_measured_inside(quantity)) continue;
      for (const Observation& seen : observations) {
        if (known.insert({quantity, seen.site}).second) sites[quantity].push_back(seen.site);
      }
    }
  }
  std::string out;
  for (const auto& [quantity, all] : sites) out += site_table(arms, quantity, all);
  return out.empty() ? ""
                     : "<p class=\"soft\">Measured inside, at the last step of each run; mean over seeds with its 95 % "
                       "interval:</p>\n" +
                           out;
}

}  // namespace

std::string arms_html(const std::vector<ObservedRun>& runs) {
  const std::vector<ArmRuns> all = arms_of(runs);
  const std::vector<std::string> quantities = evaluated(runs);
  std::string out = arms_table(all, quantities);
  if (!quantities.empty()) {
    out +=
        "<p class=\"small soft\">After the last step: means over the seeds whose runs are over and did not diverge, "
        "with "
        "their 95 % intervals (Student's t); of perplexities the geometric mean.";
    std::vector<double> entropies;
    for (const ObservedRun& run : runs) {
      if (run.result && run.result->entropy) entropies.push_back(*run.result->entropy);
    }
    if (const std::optional<Floor> floor = floor_of(entropies)) {
      out += fmt::format(" The language's own entropy is a perplexity of {}{}: no model can do better.",
                         number_text(floor->perplexity),
                         floor->one_language ? "" : " (the mean over the runs' languages)");
    }
    out += "</p>\n";
  }
  return out + measured(all, runs);
}

}  // namespace normlab

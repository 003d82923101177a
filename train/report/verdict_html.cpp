// A card for each claim, with the value, its interval, the range that counts as held and the paper's value on one
// scale.
#include "verdict_html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "html.h"

namespace normlab {
namespace {

// Numbers as places between the left (0 %) and the right (100 %) of a strip that shows all finite ones.
class Scale {
 public:
  explicit Scale(const std::vector<double>& values) {
    for (const double value : values) {
      if (!std::isfinite(value)) continue;
      low_ = std::min(low_, value);
      high_ = std::max(high_, value);
    }
    const double margin = high_ > low_ ? 0.08 * (high_ - low_) : std::max(1e-12, std::abs(low_) / 2);
    low_ -= margin;
    high_ += margin;
  }
  // In percent; infinity is at the end.
  double at(double value) const { return 100 * std::clamp((value - low_) / (high_ - low_), 0.0, 1.0); }

 private:
  double low_ = INFINITY, high_ = -INFINITY;
};

std::string between(const char* what, const Scale& scale, double low, double high) {
  return fmt::format("<span class=\"{}\" style=\"left:{:.2f}%;width:{:.2f}%\"></span>", what, scale.at(low),
                     scale.at(high) - scale.at(low));
}

std::string at(const char* what, const Scale& scale, double value) {
  return fmt::format("<span class=\"{}\" style=\"left:{:.2f}%\"></span>", what, scale.at(value));
}

std::string strip(const ClaimConfig& claim, const ClaimResult& result) {
  if (!std::isfinite(result.value)) return "";
  const double from = claim.held.at_least.value_or(-INFINITY), to = claim.held.at_most.value_or(INFINITY);
  const Scale scale({result.value, result.low, result.high, from, to, result.paper.value_or(NAN)});
  std::string out =
      "<div class=\"strip\" aria-hidden=\"true\"><span class=\"axis\"></span>" + between("range", scale, from, to);
  if (!interval_text(result.low, result.high).empty()) out += between("bar", scale, result.low, result.high);
  if (result.paper) out += at("theirs", scale, *result.paper);
  return out + at("dot", scale, result.value) + "</div>\n";
}

std::string row(const char* name, const std::string& words) {
  return words.empty() ? "" : fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, escaped(words));
}

std::string card(const ClaimConfig& claim, const ClaimResult& result) {
  std::string words = fmt::format("<p>{}<span class=\"id\">{}</span></p>\n", stamp(result.verdict), escaped(result.id));
  words += fmt::format("<p class=\"claim\">{}</p>\n", escaped(result.claim));
  if (!result.source.empty()) words += fmt::format("<p class=\"soft small\">{}</p>\n", escaped(result.source));

  const std::string interval = result.has_interval() ? interval_text(result.low, result.high) : "";
  const std::string seeds = fmt::format("{} seed{}", result.seeds, result.seeds == 1 ? "" : "s");
  std::string numbers = fmt::format("<p class=\"value\">{}</p>\n", number_text(result.value));
  numbers += interval.empty() ? fmt::format("<p class=\"interval\">{}, no interval</p>\n", seeds)
                              : fmt::format("<p class=\"interval\">{} (95 %), {}</p>\n", interval, seeds);
  numbers += strip(claim, result);
  if (result.paper)
    numbers += fmt::format("<p class=\"interval\">the paper: <b>{}</b></p>\n", number_text(*result.paper));

  std::string why = row("Rule", result.rule) + row("Why", result.reason) + row("Measure", result.measure) +
                    row("Over seeds", result.method);
  if (!result.evidence) why += row("Size", "too small to be evidence about the paper");
  return fmt::format(
      "<article class=\"verdict {}\">\n<div class=\"words\">\n{}</div>\n<div class=\"numbers\">\n{}</div>\n"
      "<dl class=\"why\">\n{}</dl>\n</article>\n",
      class_of(result.verdict), words, numbers, why);
}

}  // namespace

std::string class_of(Verdict verdict) {
  if (verdict == Verdict::held) return "held";
  return verdict == Verdict::did_not_hold ? "did-not-hold" : "undecided";
}

std::string stamp(Verdict verdict) {
  const char* mark = verdict == Verdict::held ? "✓" : verdict == Verdict::did_not_hold ? "✗" : "?";
  return fmt::format("<span class=\"stamp {}\">{} {}</span>", class_of(verdict), mark, name_of(verdict));
}

std::string verdicts_html(const Experiment& experiment, const std::vector<ClaimResult>& results) {
  if (results.empty()) return "";
  std::string out =
      "<p class=\"key\"><span><i class=\"k-range\"></i>counts as held</span><span><i class=\"k-bar\"></i>ours, with "
      "its "
      "95 % interval</span><span><i class=\"k-theirs\"></i>the paper’s value</span></p>\n";
  for (std::size_t i = 0; i < results.size(); ++i) out += card(experiment.claims[i], results[i]);
  return out;
}

}  // namespace normlab

// The measures that have one number of a run, or compare some, one struct each; and the list of all.
#include "measures.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "../problems.h"
#include "measure_fields.h"
#include "statistics.h"

namespace normlab {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

using BySeed = std::map<std::int64_t, double>;

// combine(a, b) for each seed that both have: what makes the comparison paired.
template <class Combine>
BySeed paired(const BySeed& a, const BySeed& b, Combine combine) {
  BySeed both;
  for (const auto& [seed, value] : a) {
    if (const auto other = b.find(seed); other != b.end()) both[seed] = combine(value, other->second);
  }
  return both;
}

// The range of a number; at least one end is given.
void range_fields(Fields& f, std::optional<double>& at_least, std::optional<double>& at_most) {
  f.optional_real("at_least", at_least, {}, "lower end of the range");
  f.optional_real("at_most", at_most, {}, "upper end of the range");
  f.require(at_least || at_most, "at_least", "at_least or at_most must be given");
}

// The number itself.
struct Value : MeasureOptions {
  Operand of;

  void fields(Fields& f) override { operand_field(f, "of", of, "the number"); }
  std::string words() const override { return words_of(of); }
  std::vector<Use> uses() const override { return {{"of", &of, ""}}; }
  std::vector<Sample> samples(const ObservedExperiment& experiment) const override {
    return {{"", numbers(of, experiment)}};
  }
};

// of / to
struct Ratio : MeasureOptions {
  Operand of, to;

  void fields(Fields& f) override {
    operand_field(f, "of", of, "the numerator");
    operand_field(f, "to", to, "the denominator");
  }
  std::string words() const override { return text("ratio of ", words_of(of), " to ", words_of(to)); }
  std::vector<Use> uses() const override { return {{"of", &of, ""}, {"to", &to, ""}}; }
  Scale scale() const override { return Scale::logarithmic; }
  std::vector<Sample> samples(const ObservedExperiment& experiment) const override {
    return {{"", paired(numbers(of, experiment), numbers(to, experiment), [](double a, double b) { return a / b; })}};
  }
};

// of - minus, or its size
struct Difference : MeasureOptions {
  Operand of, minus;
  bool absolute = false;

  void fields(Fields& f) override {
    operand_field(f, "of", of, "what is subtracted from");
    operand_field(f, "minus", minus, "what is subtracted");
    f.boolean("absolute", absolute, "the size of the difference, whatever its sign");
  }
  std::string words() const override {
    return text(absolute ? "size of " : "", words_of(of), " minus ", words_of(minus));
  }
  std::vector<Use> uses() const override { return {{"of", &of, ""}, {"minus", &minus, ""}}; }
  std::vector<Sample> samples(const ObservedExperiment& experiment) const override {
    const auto subtract = [this](double a, double b) { return absolute ? std::abs(a - b) : a - b; };
    return {{"", paired(numbers(of, experiment), numbers(minus, experiment), subtract)}};
  }
};

// (from - through) / (from - to): two changes lead from one number to another, and this is the part that the first
// makes.
struct Part : MeasureOptions {
  Operand from, through, to;

  void fields(Fields& f) override {
    operand_field(f, "from", from, "with neither change");
    operand_field(f, "through", through, "with the first change");
    operand_field(f, "to", to, "with both");
  }
  std::string words() const override {
    return text("part of the way from ", words_of(from), " to ", words_of(to), " at ", words_of(through));
  }
  std::vector<Use> uses() const override { return {{"from", &from, ""}, {"through", &through, ""}, {"to", &to, ""}}; }
  std::vector<Sample> samples(const ObservedExperiment& experiment) const override {
    const auto subtract = [](double a, double b) { return a - b; };
    const BySeed start = numbers(from, experiment);
    const BySeed first = paired(start, numbers(through, experiment), subtract);
    const BySeed both = paired(start, numbers(to, experiment), subtract);
    return {{"", paired(first, both, [](double a, double b) { return a / b; })}};
  }
};

// The steps up from each operand to the next, b - a: the claim holds when all of them lie in the range, so that
// {"at_least": 0.1} asks for this order with a margin of 0.1.
struct Order : MeasureOptions {
  // Operands as a list, for objects().
  struct Item : Operand {
    void fields(Fields& f) {
      Operand::fields(f);
      f.require(!quantity.empty(), "quantity", "must be given");
    }
  };
  std::vector<Item> operands;

  void fields(Fields& f) override {
    objects(f, "operands", operands, "the numbers in the order claimed, the lowest first");
    f.require(operands.size() >= 2, "operands", text("must be at least 2, got ", operands.size()));
  }
  std::string words() const override {
    std::string words = "smallest step up in the order ";
    for (const Item& operand : operands) words += (&operand == &operands.front() ? "" : " < ") + words_of(operand);
    return words;
  }
  std::vector<Use> uses() const override {
    std::vector<Use> uses;
    for (std::size_t i = 0; i < operands.size(); ++i) uses.push_back({text("operands[", i, "]"), &operands[i], ""});
    return uses;
  }
  std::vector<Sample> samples(const ObservedExperiment& experiment) const override {
    std::vector<Sample> steps;
    for (std::size_t i = 0; i + 1 < operands.size(); ++i) {
      steps.push_back({text("from ", words_of(operands[i]), " to ", words_of(operands[i + 1])),
                       paired(numbers(operands[i], experiment), numbers(operands[i + 1], experiment),
                              [](double a, double b) { return b - a; })});
    }
    return steps;
  }
};

// Steps until a level is reached; as a share of the steps that another run took to reach it, where the level is that
// run's own number.
struct StepsToReach : MeasureOptions {
  Series of;
  std::optional<double> level;
  Operand level_of;
  bool rising = false;

  void fields(Fields& f) override {
    operand_field(f, "of", of, "what is to reach the level");
    f.optional_real("level", level, {}, "the level; the measure is the steps to reach it, infinite when it is not");
    f.group(
        "level_of", [this](Fields& g) { level_of.fields(g); },
        "in place of `level`, the number that other runs have; the measure is the steps to reach it as a share of the "
        "steps in which those runs first did");
    f.require(level.has_value() == level_of.quantity.empty(), "level",
              "either this or level_of with a quantity must be given, not both");
    choice<bool>(f, "direction", rising, {{false, "falling"}, {true, "rising"}}, "a loss falls to it, a score rises");
  }
  std::string words() const override {
    if (level) return text("steps of ", words_of(of), " to ", *level);
    return text("steps of ", words_of(of), " to the ", words_of(level_of), ", as a share of that run's");
  }
  std::vector<Use> uses() const override {
    std::vector<Use> uses = {{"of", &of, ""}};
    if (!level) uses.push_back({"level_of", &level_of, ""});
    return uses;
  }
  Scale scale() const override { return Scale::logarithmic; }
  std::vector<Sample> samples(const ObservedExperiment& experiment) const override {
    const auto runs = run_of_each_seed(of, experiment);
    BySeed steps;
    if (level) {
      for (const auto& [seed, run] : runs) steps[seed] = steps_to_reach(only_site(of, *run), *level, rising);
      return {{"", steps}};
    }
    const auto others = run_of_each_seed(level_of, experiment);
    for (const auto& [seed, its_level] : numbers(level_of, experiment)) {
      const auto run = runs.find(seed);
      if (run == runs.end()) continue;
      steps[seed] = steps_to_reach(only_site(of, *run->second), its_level, rising) /
                    steps_to_reach(only_site(level_of, *others.at(seed)), its_level, rising);
    }
    return {{"", steps}};
  }

 private:
  static std::vector<Observation> only_site(const Series& operand, const ObservedRun& run) {
    const auto sites = by_site(operand, run);
    if (sites.size() > 1) {
      throw Unmeasured(text(sites.size(), " sites of ", operand.quantity, " match \"", operand.sites, "\", such as ",
                            sites[0].first, " and ", sites[1].first, "; narrow the sites to one"));
    }
    return sites.front().second;
  }
};

// The share of seeds whose number lies in a range.
struct Fraction : MeasureOptions {
  Operand of;
  std::optional<double> at_least, at_most;

  void fields(Fields& f) override {
    operand_field(f, "of", of, "the number");
    range_fields(f, at_least, at_most);
  }
  std::string words() const override {
    return text("share of seeds with ", words_of(of), at_least ? text(" of at least ", *at_least) : "",
                at_least && at_most ? " and" : "", at_most ? text(" of at most ", *at_most) : "");
  }
  std::vector<Use> uses() const override { return {{"of", &of, ""}}; }
  Scale scale() const override { return Scale::share; }
  std::vector<Sample> samples(const ObservedExperiment& experiment) const override {
    Sample sample{"", numbers(of, experiment)};
    for (auto& [seed, value] : sample.by_seed) {
      if (std::isnan(value)) continue;
      value = (!at_least || value >= *at_least) && (!at_most || value <= *at_most) ? 1 : 0;
    }
    return {sample};
  }
};

// The largest value over all steps and sites, as a multiple of a bound: above 1 when it exceeds it.
struct Exceeds : MeasureOptions {
  Series of;
  double bound = 1;

  void fields(Fields& f) override {
    operand_field(f, "of", of, "what is held against the bound");
    f.real("bound", bound, {.above = 0}, "the bound");
  }
  std::string words() const override { return text("largest ", words_of(of), " over the bound ", bound); }
  std::vector<Use> uses() const override { return {{"of", &of, ""}}; }
  Scale scale() const override { return Scale::logarithmic; }
  std::vector<Sample> samples(const ObservedExperiment& experiment) const override {
    Operand largest{of, "max", Across::max};
    Sample sample{"", numbers(largest, experiment)};
    for (auto& [seed, value] : sample.by_seed) value /= bound;
    return {sample};
  }
};

// The 99th percentile over the median of all steps: how far outliers reach out.
struct Tail : MeasureOptions {
  Series of;
  Across across = Across::only;

  void fields(Fields& f) override {
    operand_field(f, "of", of, "what is looked at through all its steps");
    across_field(f, across);
  }
  std::string words() const override { return text("99th percentile over median of ", words_of(of)); }
  std::vector<Use> uses() const override { return {{"of", &of, ""}}; }
  Scale scale() const override { return Scale::logarithmic; }
  std::vector<Sample> samples(const ObservedExperiment& experiment) const override {
    Sample sample;
    for (const auto& [seed, run] : run_of_each_seed(of, experiment)) {
      std::vector<SiteNumber> tails;
      for (const auto& [site, observations] : by_site(of, *run)) {
        std::vector<double> values;
        for (const Observation& observation : observations) values.push_back(observation.value);
        tails.push_back({site, quantile(values, 0.99) / quantile(values, 0.5)});
      }
      sample.by_seed[seed] = across_sites(tails, across, of);
    }
    return {sample};
  }
};

}  // namespace

const std::vector<Registered<MeasureOptions>>& registered(const MeasureOptions*) {
  static const std::vector<Registered<MeasureOptions>> all = [] {
    std::vector<Registered<MeasureOptions>> kinds = {
        kind<MeasureOptions, Value>("value", "the number itself"),
        kind<MeasureOptions, Ratio>("ratio", "one number over another"),
        kind<MeasureOptions, Difference>("difference", "one number minus another"),
        kind<MeasureOptions, Part>("part", "how much of a difference the first of two changes makes"),
        kind<MeasureOptions, Order>("order", "the smallest step up in a row of numbers"),
        kind<MeasureOptions, StepsToReach>("steps_to_reach", "steps until a level is reached"),
        kind<MeasureOptions, Fraction>("fraction", "share of the seeds whose number lies in a range"),
        kind<MeasureOptions, Exceeds>("exceeds", "the largest value over a bound"),
        kind<MeasureOptions, Tail>("tail", "99th percentile over median of the steps"),
    };
    const auto& more = measures_over_places();
    kinds.insert(kinds.end(), more.begin(), more.end());
    return kinds;
  }();
  return all;
}

double steps_to_reach(const std::vector<Observation>& observations, double level, bool rising) {
  if (!std::isfinite(level)) return kNaN;
  for (const Observation& observation : observations) {
    if (rising ? observation.value >= level : observation.value <= level) return static_cast<double>(observation.step);
  }
  return kInfinity;
}

}  // namespace normlab

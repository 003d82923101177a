// Hidden moments: see the header.
#include "hidden_moments.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "../../engine/ops/elementwise.h"
#include "../../engine/ops/reduce.h"
#include "../experiment/statistics.h"

namespace normlab {
namespace {

constexpr double kLevel = 0.999;

// Keeps what the sites show.
struct Keeper final : Observer {
  std::map<std::string, Tensor> values;
  void value(const std::string& site, const Tensor& value) override { values[site] = value.detach(); }
};

double mean_square(const Tensor& x) { return sum_of_squares(x).item() / static_cast<double>(x.size()); }

// A quantity at a site, a value for each draw.
struct Drawn {
  std::string quantity, site;
  std::vector<double> values = {};
};

}  // namespace

void HiddenMomentsOptions::fields(Fields& f) {
  choice(f, "placement", placement, {{Placement::pre, "pre"}, {Placement::post, "post"}},
         "pre: x + branch(norm(x)); post: norm(x + branch(x))");
  f.integer("layers", layers, {.at_least = 1, .at_most = 1000}, "of the stack");
  f.integer("width", width, {.at_least = 2, .at_most = 65536}, "features of a token");
  f.integer("feed_forward", feed_forward, {.at_least = 1, .at_most = 1048576},
            "features between the two maps of each feed-forward network; r times the width");
  f.integer("heads", heads, {.at_least = 1, .at_most = 65536}, "of each attention; divides width");
  f.require(heads < 1 || width % heads == 0, "heads",
            text("width must be divisible by heads, got width ", width, " and heads ", heads));
  f.boolean("uniform_attention", uniform_attention, "query weights are zero, so that every token is looked at alike");
  f.integer("sequences", sequences, {.at_least = 1, .at_most = 1e6}, "of a draw");
  f.integer("length", length, {.at_least = 1, .at_most = 1e6}, "tokens of each sequence");
  f.integer("draws", draws, {.at_least = 2, .at_most = 1e9}, "of weights and inputs");
}

std::vector<Measurement> HiddenMomentsOptions::measure(const MeasuringContext& context) const {
  StackConfig config;
  config.layers = layers;
  config.width = width;
  config.heads = heads;
  config.feed_forward = feed_forward;
  config.placement = placement;
  config.final_norm = false;
  config.dropout = 0;
  const bool post = placement == Placement::post;
  const Rows rows = Rows::equal(sequences, length);

  std::vector<Drawn> drawn;
  for (Index layer = 0; layer < layers; ++layer) {
    for (const char* quantity : {"attention_increment", "feed_forward_increment", "feed_forward_sum", "hidden"}) {
      drawn.push_back({quantity, text("layers.", layer)});
    }
  }
  for (Index draw = 0; draw < draws; ++draw) {
    const auto step = static_cast<std::uint64_t>(draw);
    Init init;
    init.seed = Random(random_stream(context.init_seed, "hidden_moments.weights", step)).bits();
    init.dtype = context.dtype;
    const Stack stack(init, config, /*causal=*/false);
    for (const Named& parameter : stack.parameters()) {
      const bool query = parameter.path.ends_with("attention.query.weight");
      if (uniform_attention && query) Tensor(parameter.tensor).fill(0);
    }
    Tensor x = Tensor::empty({rows.tokens(), width}, context.dtype);
    fill_normal(x, random_stream(context.seed, "hidden_moments.input", step), 0, 1);

    Keeper keeper;
    {
      Tape tape(&keeper);
      stack.forward(x, rows, {});
    }
    auto next = drawn.begin();
    for (Index layer = 0; layer < layers; ++layer) {
      const auto at = [&](const char* site) { return keeper.values.at(text("layers.", layer, ".", site)); };
      const Tensor attended = add(x, at("attention.out"));
      const Tensor between = post ? at("attention_norm.out") : attended;
      const Tensor sum = add(between, at("feed_forward.out"));
      const Tensor out = at("out");
      (next++)->values.push_back(mean_square(attended) - mean_square(x));
      (next++)->values.push_back(mean_square(sum) - mean_square(between));
      (next++)->values.push_back(mean_square(sum));
      (next++)->values.push_back(mean_square(out));
      x = out;
    }
    context.progress(draw + 1, draws, "");
  }

  const double r = static_cast<double>(feed_forward) / static_cast<double>(width);
  const double increment = 2 * r / ((1 + r) * (1 + r));
  std::vector<Measurement> found;
  double deviation = 0;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    const std::string &quantity = drawn[i].quantity, &site = drawn[i].site;
    const Interval interval = mean_interval(drawn[i].values, kLevel);
    const auto add_closed_form = [&](const char* ending, double value) {
      found.push_back({.quantity = quantity + ending, .site = site, .value = value});
    };
    if (quantity == "feed_forward_sum" && !post) continue;  // there what came before it is not known
    found.push_back({quantity, site, interval.mean, interval.half_width, kLevel});
    if (quantity == "feed_forward_increment") {
      add_closed_form("_expected", increment);
      deviation = std::max(deviation, std::abs(interval.mean - increment) / interval.half_width);
    }
    if (quantity == "feed_forward_sum") add_closed_form("_expected", 1 + increment);
    if (quantity != "hidden") continue;
    const auto layers_done = static_cast<double>(i / 4 + 1);
    if (post) add_closed_form("_expected", 1);
    if (!post) add_closed_form("_least", 1 + increment * layers_done);
    if (!post) add_closed_form("_most", 1 + (increment + 1) * layers_done);
  }
  found.push_back({.quantity = "increment_deviation", .value = deviation});
  return found;
}

}  // namespace normlab

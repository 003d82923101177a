// Folding of norms into linear maps: see the header.
#include "folding.h"

#include <map>

namespace normlab {
namespace {

// The norm before the map: W[out, in] becomes W diag(scale), b[out] becomes b + W shift.
void fold_before(Tensor weight, Tensor bias, const Norm::Affine& norm) {
  const Index in = weight.columns();
  for (Index o = 0; o < bias.size(); ++o) {
    double sum = bias.at(o);
    for (Index i = 0; i < in; ++i) {
      const double w = weight.at(o * in + i);
      sum += w * norm.shift.at(i);
      weight.set(o * in + i, w * norm.scale.at(i));
    }
    bias.set(o, sum);
  }
}

// The norm after the map: W[out, in] becomes diag(scale) W, b[out] becomes scale * b + shift.
void fold_after(Tensor weight, Tensor bias, const Norm::Affine& norm) {
  const Index in = weight.columns();
  for (Index o = 0; o < bias.size(); ++o) {
    const double scale = norm.scale.at(o);
    for (Index i = 0; i < in; ++i) weight.set(o * in + i, scale * weight.at(o * in + i));
    bias.set(o, scale * bias.at(o) + norm.shift.at(o));
  }
}

// A norm and the linear maps it can be folded into.
struct Site {
  std::string norm;
  NormConfig config;
  decltype(&fold_before) fold;
  std::vector<std::string> maps;
  std::vector<Init> places;  // what these names are under: each layer, or the model itself
  bool read_by_residual = false;
};

// All but those without a norm.
std::vector<Site> sites_of(const LanguageModel& model) {
  const LanguageModelConfig& config = model.config();
  const auto at = [&](const SiteNorm& site) { return site.or_else(config.norm); };
  const bool post = config.placement != Placement::pre;
  const Init root{.path = model.path()};
  std::vector<Init> layers, end;
  for (Index layer = 0; layer < config.layers; ++layer) layers.push_back(root.child(text("layers.", layer)));
  if (config.final_norm) end = {root};

  std::vector<Site> sites = {
      {"attention_norm",
       at(config.norm_at.attention),
       fold_before,
       {"attention.query", "attention.key", "attention.value"},
       layers,
       post},
      {"feed_forward_norm", at(config.norm_at.feed_forward), fold_before, {"feed_forward.inner"}, layers, post},
      {"feed_forward.inner_norm", at(config.norm_at.inner), fold_after, {"feed_forward.inner"}, layers},
      {"final_norm", at(config.norm_at.final), fold_before, {"output"}, end},
  };
  std::erase_if(sites, [](const Site& site) {
    return site.places.empty() || (site.config.kind() == "none" && site.config.pre_scale == PreScale::none);
  });
  return sites;
}

const Norm& norm_at(const LanguageModel& model, const std::string& path) {
  for (const Module* module : model.modules()) {
    const auto* norm = dynamic_cast<const Norm*>(module);
    if (norm && norm->path() == path) return *norm;  // a pre-scaled norm comes before the one it stands in front of
  }
  throw Error(text("fold_norms: the model must have every norm of its config, got none at ", path));
}

// A line that says why the site cannot be folded and what helps; empty when it can.
std::string problem(const LanguageModel& model, const Site& site) {
  std::string problem;
  if (site.config.pre_scale != PreScale::none) {
    problem = " divides each token by its own root mean square first (train without pre_scale)";
  } else if (!norm_at(model, site.places.front().at(site.norm)).affine()) {
    problem = " is no fixed scale and shift of each feature (train with batch, power_v or power)";
  }
  if (site.read_by_residual) {
    if (!problem.empty()) problem += ", and";
    problem += " is read by the residual stream too (train with placement pre)";
  }
  return problem.empty() ? "" : text("\n  ", site.norm, " of kind ", site.config.kind(), problem);
}

std::map<std::string, Tensor> parameters_by_path(const Module& module) {
  std::map<std::string, Tensor> result;
  for (const Named& parameter : module.parameters()) result[parameter.path] = parameter.tensor;
  return result;
}

// The values of `model` in a model without norms; `output_bias` gives it an output map of its own with a zero bias.
std::unique_ptr<LanguageModel> without_norms(const LanguageModel& model, bool output_bias) {
  LanguageModelConfig config = model.config();
  config.norm = NormConfig("none");
  config.norm_at = {};
  if (output_bias) {
    config.tie_output = false;
    config.output_bias = true;
  }
  auto values = parameters_by_path(model);
  const Init init{.path = model.path(), .dtype = values.begin()->second.dtype()};
  if (model.config().tie_output) values[init.at("output.weight")] = values.at(init.at("embedding.weight"));

  auto result = std::make_unique<LanguageModel>(init, config, model.vocabulary(), model.longest_sequence());
  for (auto& [path, tensor] : parameters_by_path(*result)) {
    const auto value = values.find(path);
    if (value != values.end()) tensor.copy_from(value->second);
  }
  return result;
}

}  // namespace

std::unique_ptr<LanguageModel> fold_norms(const LanguageModel& model) {
  const std::vector<Site> sites = sites_of(model);
  check(!sites.empty(), "fold_norms: the model must have a norm, got none at every site; use it as it is");
  std::string problems;
  for (const Site& site : sites) problems += problem(model, site);
  check(problems.empty(), "fold_norms: every norm must be a fixed scale and shift that linear maps alone read, got",
        problems);

  auto folded = without_norms(model, sites.back().norm == "final_norm");
  const auto parameters = parameters_by_path(*folded);
  for (const Site& site : sites) {
    for (const Init& place : site.places) {
      const Norm::Affine norm = *norm_at(model, place.at(site.norm)).affine();
      for (const std::string& map : site.maps) {
        site.fold(parameters.at(place.at(map + ".weight")), parameters.at(place.at(map + ".bias")), norm);
      }
    }
  }
  return folded;
}

}  // namespace normlab

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

// A norm and the linear maps it can be folded into, by their paths.
struct Fold {
  std::string norm;
  std::vector<std::string> maps;
};

// The folds of one place in every layer, or of a final norm.
struct Site {
  std::string name;
  NormConfig config;
  decltype(&fold_before) fold;
  bool read_by_residual;
  std::vector<Fold> folds;
};

// The paths of `maps` at `place`.
std::vector<std::string> at(const Init& place, const std::vector<const char*>& maps) {
  std::vector<std::string> paths;
  for (const char* map : maps) paths.push_back(place.at(map));
  return paths;
}

// Each layer of the stack there, as a place for its parts.
std::vector<Init> layers_of(const StackConfig& config, const Init& stack) {
  std::vector<Init> layers;
  for (Index layer = 0; layer < config.layers; ++layer) layers.push_back(stack.child(text("layers.", layer)));
  return layers;
}

// The sites in the layers of the stack there; `prefix` begins their names.
std::vector<Site> sites_in_layers(const StackConfig& config, const Init& stack, const std::string& prefix,
                                  bool decoder = false) {
  const bool post = config.placement != Placement::pre;
  std::vector<Site> sites;
  const auto add = [&](const char* norm, const SiteNorm& site, decltype(&fold_before) fold, bool read_by_residual,
                       const std::vector<const char*>& maps) {
    sites.push_back({prefix + norm, site.or_else(config.norm), fold, read_by_residual, {}});
    for (const Init& layer : layers_of(config, stack)) sites.back().folds.push_back({layer.at(norm), at(layer, maps)});
  };
  add("attention_norm", config.norm_at.attention, fold_before, post,
      {"attention.query", "attention.key", "attention.value"});
  if (decoder) {
    add("cross_attention_norm", config.norm_at.cross_attention, fold_before, post, {"cross_attention.query"});
  }
  add("feed_forward_norm", config.norm_at.feed_forward, fold_before, post, {"feed_forward.inner"});
  add("feed_forward.inner_norm", config.norm_at.inner, fold_after, false, {"feed_forward.inner"});
  return sites;
}

// The norm at the end of the stack there, read by `maps` alone.
Site final_site(const StackConfig& config, const Init& stack, const std::string& prefix,
                const std::vector<std::string>& maps) {
  const NormConfig norm = config.final_norm ? config.norm_at.final.or_else(config.norm) : NormConfig("none");
  return {prefix + "final_norm", norm, fold_before, false, {{stack.at("final_norm"), maps}}};
}

// All sites, that of the norm before the output last.
std::vector<Site> sites_of(const LanguageModel& model) {
  const Init root{.path = model.path()};
  std::vector<Site> sites = sites_in_layers(model.config(), root, "");
  sites.push_back(final_site(model.config(), root, "", {root.at("output")}));
  return sites;
}

std::vector<Site> sites_of(const TranslationModel& model) {
  const StackConfig &encoder = model.config().encoder, &decoder = model.config().decoder;
  const Init root{.path = model.path()}, encoder_at = root.child("encoder"), decoder_at = root.child("decoder");
  std::vector<std::string> readers;  // of the encoder's output
  for (const Init& layer : layers_of(decoder, decoder_at)) {
    for (const std::string& map : at(layer, {"cross_attention.key", "cross_attention.value"})) readers.push_back(map);
  }
  std::vector<Site> sites = sites_in_layers(encoder, encoder_at, "encoder.");
  sites.push_back(final_site(encoder, encoder_at, "encoder.", readers));
  for (Site& site : sites_in_layers(decoder, decoder_at, "decoder.", true)) sites.push_back(std::move(site));
  sites.push_back(final_site(decoder, decoder_at, "decoder.", {root.at("output")}));
  return sites;
}

bool has_norm(const Site& site) { return site.config.kind() != "none" || site.config.pre_scale != PreScale::none; }

const Norm& norm_at(const Module& model, const std::string& path) {
  for (const Module* module : model.modules()) {
    const auto* norm = dynamic_cast<const Norm*>(module);
    if (norm && norm->path() == path) return *norm;  // a pre-scaled norm comes before the one it stands in front of
  }
  throw Error(text("fold_norms: the model must have every norm of its config, got none at ", path));
}

// A line that says why the site cannot be folded and what helps; empty when it can.
std::string problem(const Module& model, const Site& site) {
  std::string problem;
  if (site.config.pre_scale != PreScale::none) {
    problem = " divides each token by its own root mean square first (train without pre_scale)";
  } else if (!norm_at(model, site.folds.front().norm).affine()) {
    problem = " is no fixed scale and shift of each feature (train with batch, power_v or power)";
  }
  if (site.read_by_residual) {
    if (!problem.empty()) problem += ", and";
    problem += " is read by the residual stream too (train with placement pre)";
  }
  return problem.empty() ? "" : text("\n  ", site.name, " of kind ", site.config.kind(), problem);
}

using Parameters = std::map<std::string, Tensor>;

Parameters parameters_by_path(const Module& module) {
  Parameters result;
  for (const Named& parameter : module.parameters()) result[parameter.path] = parameter.tensor;
  return result;
}

// Gives `model` those of the values that it has parameters for.
template <class Model>
std::unique_ptr<Model> with_values(std::unique_ptr<Model> model, const Parameters& values) {
  for (auto& [path, tensor] : parameters_by_path(*model)) {
    const auto value = values.find(path);
    if (value != values.end()) tensor.copy_from(value->second);
  }
  return model;
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
  Parameters values = parameters_by_path(model);
  const Init init{.path = model.path(), .dtype = values.begin()->second.dtype()};
  if (model.config().tie_output) values[init.at("output.weight")] = values.at(init.at("embedding.weight"));
  return with_values(std::make_unique<LanguageModel>(init, config, model.vocabulary(), model.longest_sequence()),
                     values);
}

std::unique_ptr<TranslationModel> without_norms(const TranslationModel& model, bool output_bias) {
  TranslationModelConfig config = model.config();
  for (StackConfig* stack : {&config.encoder, &config.decoder}) {
    stack->norm = NormConfig("none");
    stack->norm_at = {};
  }
  if (output_bias) {
    config.share_embeddings = EmbeddingSharing::none;
    config.output_bias = true;
  }
  Parameters values = parameters_by_path(model);
  const Init init{.path = model.path(), .dtype = values.begin()->second.dtype()};
  const EmbeddingSharing shared = model.config().share_embeddings;
  if (output_bias && shared == EmbeddingSharing::all) {
    for (const char* copy : {"encoder.embedding.weight", "decoder.embedding.weight"}) {
      values[init.at(copy)] = values.at(init.at("embedding.weight"));
    }
  }
  if (output_bias && shared != EmbeddingSharing::none) {
    values[init.at("output.weight")] = values.at(init.at("decoder.embedding.weight"));
  }
  return with_values(std::make_unique<TranslationModel>(init, config, model.extents()), values);
}

template <class Model>
std::unique_ptr<Model> fold(const Model& model) {
  std::vector<Site> sites = sites_of(model);
  const bool at_output = has_norm(sites.back());
  std::erase_if(sites, [](const Site& site) { return !has_norm(site); });
  check(!sites.empty(), "fold_norms: the model must have a norm, got none at every site; use it as it is");
  std::string problems;
  for (const Site& site : sites) problems += problem(model, site);
  check(problems.empty(), "fold_norms: every norm must be a fixed scale and shift that linear maps alone read, got",
        problems);

  auto folded = without_norms(model, at_output);
  const Parameters parameters = parameters_by_path(*folded);
  for (const Site& site : sites) {
    for (const Fold& fold : site.folds) {
      const Norm::Affine norm = *norm_at(model, fold.norm).affine();
      for (const std::string& map : fold.maps) {
        site.fold(parameters.at(map + ".weight"), parameters.at(map + ".bias"), norm);
      }
    }
  }
  return folded;
}

}  // namespace

std::unique_ptr<LanguageModel> fold_norms(const LanguageModel& model) { return fold(model); }
std::unique_ptr<TranslationModel> fold_norms(const TranslationModel& model) { return fold(model); }

}  // namespace normlab

// All kinds of norm, one line each; and how a config chooses among them.
#include "norm.h"

#include "batch.h"
#include "dyt.h"
#include "group.h"
#include "layer.h"
#include "none.h"
#include "power.h"
#include "power_v.h"
#include "pre_scale.h"
#include "rms.h"
#include "scale.h"

namespace normlab {

const std::vector<Registered<NormOptions>>& registered(const NormOptions*) {
  static const std::vector<Registered<NormOptions>> all = {
      kind<NormOptions, LayerNormOptions>("layer", "layer normalization: each token by its own mean and variance"),
      kind<NormOptions, RmsNormOptions>("rms", "RMSNorm: each token by the root mean square of its features"),
      kind<NormOptions, ScaleNormOptions>("scale", "ScaleNorm: each token brought to one length, a parameter"),
      kind<NormOptions, GroupNormOptions>("group", "group normalization: layer normalization of groups of features"),
      kind<NormOptions, DynamicTanhOptions>("dyt", "DyT, dynamic tanh: each element bent by tanh, nothing measured"),
      kind<NormOptions, BatchNormOptions>("batch",
                                          "batch normalization: each feature by its mean and variance over tokens"),
      kind<NormOptions, PowerVOptions>("power_v", "PN-V: each feature by its second moment over the batch's tokens"),
      kind<NormOptions, PowerNormOptions>("power", "power normalization: each feature by a running second moment"),
      kind<NormOptions, NoNormOptions>("none", "no normalization"),
  };
  return all;
}

void NormConfig::common_fields(Fields& f) {
  choice(f, "pre_scale", pre_scale,
         {{PreScale::none, "none"}, {PreScale::rms, "rms"}, {PreScale::grouped_rms, "grouped_rms"}},
         "in front of the norm: divide each token by the root mean square of its features, or of each group of them");
  f.integer("pre_scale_groups", pre_scale_groups, {.at_least = 0, .at_most = 65536},
            "groups of grouped_rms; 0 for as many as the model has heads");
}

void NormConfig::fields(Fields& f, const char* name, const char* doc) {
  Choice<NormOptions>::fields(f, name, doc, [this](Fields& inner) { common_fields(inner); });
}

std::string NormConfig::problem(Index features, Index heads) const {
  const Index groups = pre_scale_groups == 0 ? heads : pre_scale_groups;
  if (pre_scale == PreScale::grouped_rms && features % groups != 0) {
    return text("the groups of the pre-scale must divide the features, got ", groups, " groups and ", features,
                " features; set pre_scale_groups");
  }
  return (*this)->problem(features);
}

std::unique_ptr<Norm> NormConfig::make(const Init& init, Index features, Index heads) const {
  auto norm = (*this)->make(init, features);
  if (pre_scale == PreScale::none) return norm;
  const Index groups = pre_scale == PreScale::rms ? 1 : pre_scale_groups == 0 ? heads : pre_scale_groups;
  return std::make_unique<PreScaledNorm>(init, std::move(norm), groups);
}

std::string NormConfig::make_exact() {
  const std::string surrogate = kind(), exact = (*this)->exact_kind();
  if (exact.empty()) return "";
  set(exact);
  return text(exact, " in place of ", surrogate);
}

SiteNorm::SiteNorm(const std::string& kind) : kind_("same"), own_("none") { set(kind); }

void SiteNorm::set(const std::string& kind) {
  if (kind != "same") own_.set(kind);
  kind_ = kind;
}

std::string SiteNorm::make_exact() {
  std::string done = own_.make_exact();
  if (kind_ != "same") kind_ = own_.kind();
  return done;
}

void SiteNorm::fields(Fields& f, const char* name, const char* doc) {
  std::vector<Fields::Alternative> alternatives = {
      {"same", "the norm of the whole stack", [this] { set("same"); }, [](Fields&) {}}};
  for (const auto& entry : registered(static_cast<const NormOptions*>(nullptr))) {
    alternatives.push_back({entry.kind, entry.doc, [this, kind = entry.kind] { set(kind); },
                            [this](Fields& inner) {
                              own_->fields(inner);
                              own_.common_fields(inner);
                            }});
  }
  f.variant(name, kind_, alternatives, doc);
}

}  // namespace normlab

// Group normalization: see the header; the formula and its gradient stand in engine/ops/layer_norm.cpp.
#include "group.h"

#include "../../engine/ops/layer_norm.h"

namespace normlab {

GroupNorm::GroupNorm(const Init& init, Index features, Index groups, double epsilon)
    : Norm(init),
      groups_(groups),
      epsilon_(epsilon),
      weight_(parameter("weight", {features}, constant(1))),
      bias_(parameter("bias", {features}, constant(0))) {}

Tensor GroupNorm::forward(const Tensor& x, const Rows&, const Pass&) {
  return output([&] { return group_norm(x, weight_, bias_, groups_, epsilon_); });
}

void GroupNormOptions::fields(Fields& f) {
  f.integer("groups", groups, {.at_least = 1, .at_most = 65536}, "runs of features, each with a mean and a variance");
  f.real("epsilon", epsilon, {.at_least = 0}, "added to the variance, inside the root");
}

std::unique_ptr<Norm> GroupNormOptions::make(const Init& init, Index features) const {
  return std::make_unique<GroupNorm>(init, features, groups, epsilon);
}

std::string GroupNormOptions::problem(Index features) const {
  if (features % groups == 0) return "";
  return text("the groups of group normalization must divide the features, got ", groups, " groups and ", features,
              " features");
}

}  // namespace normlab

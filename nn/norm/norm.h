// Norm: what every normalization offers, and the registry of all kinds.
//
// A new norm is a file beside this one (a module and its options) and a line in norm.cpp; README.md shows one. A norm
// with running statistics keeps them as buffers; its forward and backward put what they measured aside, and
// commit_own() folds it in.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../../engine/registry.h"
#include "../../engine/rows.h"
#include "../module.h"

namespace normlab {

class Norm : public Module {
 public:
  // y[tokens, features] from x of the same shape. Statistics over tokens leave out the rows that do not count.
  virtual Tensor forward(const Tensor& x, const Rows& rows, const Pass& pass) = 0;

  // Is backward the derivative of forward? A norm whose published backward is a surrogate says no.
  virtual bool exact_gradient() const { return true; }

  // How many matrices of the size of x a training forward must read and write, and a backward: the floor that `bench`
  // compares with. A norm of each token by itself reads x and writes y, then reads x and dy and writes dx.
  struct Passes {
    int forward = 2;
    int backward = 3;
  };
  virtual Passes passes() const { return {}; }

  // Of a norm that in evaluation is y = scale * x + shift, feature by feature: the two, f64 [features]. Such a norm can
  // be folded into a linear map that follows; see nn/folding.h.
  struct Affine {
    Tensor scale, shift;
  };
  virtual std::optional<Affine> affine() const { return std::nullopt; }

  // What the last training forward and backward showed, before commit(): numbers for the probes, by name. Of several
  // micro-batches of a step a probe keeps the mean, or the largest.
  struct Measure {
    std::string quantity;
    double value = 0;
    bool largest = false;
  };
  virtual std::vector<Measure> measures() const { return {}; }

 protected:
  using Module::Module;
};

// The settings of one kind of norm.
struct NormOptions {
  virtual ~NormOptions() = default;
  virtual void fields(Fields& f) = 0;
  virtual std::unique_ptr<Norm> make(const Init& init, Index features) const = 0;
  // What keeps these settings from working on so many features; empty when nothing does.
  virtual std::string problem(Index /*features*/) const { return ""; }
  // The kind with an exact gradient that stands in for this one where only derivatives can be checked; empty for none.
  virtual std::string exact_kind() const { return ""; }
};

const std::vector<Registered<NormOptions>>& registered(const NormOptions*);

// What stands in front of a norm: nothing, or the division of each token by the root mean square of its features, all
// together or group by group. The PowerNorm paper calls it layer-scale.
enum class PreScale { none, rms, grouped_rms };

// A norm as a config chooses it: its kind with the options of that kind, and the pre-scale in front of it.
class NormConfig : public Choice<NormOptions> {
 public:
  explicit NormConfig(const std::string& kind) : Choice<NormOptions>(kind) {}

  PreScale pre_scale = PreScale::none;
  std::int64_t pre_scale_groups = 0;  // of grouped_rms; 0 for as many as there are heads

  // Lists the norm as the variant `name`.
  void fields(Fields& f, const char* name, const char* doc);
  // What keeps this norm from working there; empty when nothing does.
  std::string problem(Index features, Index heads) const;
  std::unique_ptr<Norm> make(const Init& init, Index features, Index heads) const;
  // How many matrices of its input's size it keeps for backward: that input, and behind a pre-scale that of the norm
  // too. The kinds here make their output again.
  int kept() const { return (kind() != "none") + (pre_scale != PreScale::none); }
  // Puts the kind with an exact gradient in place of one whose gradient is a surrogate; the pre-scale stays. What was
  // done in words, empty when nothing was.
  std::string make_exact();

 private:
  friend class SiteNorm;
  void common_fields(Fields& f);
};

// The norm of one site: one of its own, or the one of the whole stack (the kind "same").
class SiteNorm {
 public:
  SiteNorm() : SiteNorm("same") {}
  explicit SiteNorm(const std::string& kind);
  const std::string& kind() const { return kind_; }
  const NormConfig& or_else(const NormConfig& of_stack) const { return kind_ == "same" ? of_stack : own_; }
  std::string make_exact();  // of a norm of its own, as NormConfig's
  void set(const std::string& kind);

  void fields(Fields& f, const char* name, const char* doc);

 private:
  std::string kind_;
  NormConfig own_;
};

}  // namespace normlab

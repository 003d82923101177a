// The norms that treat each token by itself, as modules: parameters, first values, options.
// every_norm_test.cpp checks their gradients.
#include <cmath>
#include <map>

#include "engine/ops/dynamic_tanh.h"
#include "engine/ops/layer_norm.h"
#include "engine/ops/rms_norm.h"
#include "engine/ops/scale_norm.h"
#include "nn/norm/dyt.h"
#include "nn/norm/group.h"
#include "nn/norm/rms.h"
#include "nn/norm/scale.h"
#include "tests/nn/support.h"

using namespace normlab;

namespace {

constexpr Index kFeatures = 8;

std::unique_ptr<Norm> make(const std::string& kind) { return NormConfig(kind).make(init_f64("norm"), kFeatures, 2); }

// The values of all parameters, each by its path; a single number stands for all elements.
std::map<std::string, double> first_values(const Norm& norm) {
  std::map<std::string, double> values;
  for (const Named& parameter : norm.parameters()) {
    values[text(parameter.path, ' ', parameter.shape)] = parameter.tensor.at(parameter.tensor.size() - 1);
  }
  return values;
}

// Gives names to the fields of some options and sets them all to 0.3, or 2 groups.
class Setter : public Fields {
 public:
  void boolean(const char*, bool&, const char*) override { FAIL("no such field"); }
  void integer(const char* name, std::int64_t& value, Range range, const char*) override {
    names.emplace_back(name);
    CHECK(range.at_least == 1);
    value = 2;
  }
  void real(const char* name, double& value, Range range, const char*) override {
    names.emplace_back(name);
    CHECK((range.at_least == 0 || range.above == 0));
    value = 0.3;
  }
  void string(const char*, std::string&, const char*) override { FAIL("no such field"); }
  void choice(const char*, std::string&, const std::vector<std::string>&, const char*) override {
    FAIL("no such field");
  }
  void integers(const char*, std::vector<std::int64_t>&, Range, const char*) override { FAIL("no such field"); }
  void strings(const char*, std::vector<std::string>&, const char*) override { FAIL("no such field"); }
  void group(const char*, const std::function<void(Fields&)>&, const char*) override { FAIL("no such field"); }
  void variant(const char*, std::string&, const std::vector<Alternative>&, const char*) override {
    FAIL("no such field");
  }
  void require(bool, const char*, const std::string&) override {}
  std::vector<std::string> names;
};

}  // namespace

TEST_CASE("norms of each token: parameters and their first values") {
  using Values = std::map<std::string, double>;
  CHECK(first_values(*make("rms")) == Values{{"norm.weight [8]", 1}});
  CHECK(first_values(*make("scale")) == Values{{"norm.weight [1]", std::sqrt(8.0)}});
  CHECK(first_values(*make("group")) == Values{{"norm.weight [8]", 1}, {"norm.bias [8]", 0}});
  CHECK(first_values(*make("dyt")) == Values{{"norm.alpha [1]", 0.5}, {"norm.weight [8]", 1}, {"norm.bias [8]", 0}});
  CHECK(first_values(*make("none")).empty());
}

TEST_CASE("norms of each token: every option reaches the formula, and so do the parameters") {
  const Tensor x = random_tensor({5, kFeatures}, "x");
  using Formula = std::function<Tensor(const std::vector<Named>&)>;
  const auto check_kind = [&](const char* kind, const std::vector<std::string>& options, const Formula& formula) {
    INFO(kind);
    NormConfig config(kind);
    Setter setter;
    config->fields(setter);
    CHECK(setter.names == options);
    const auto norm = config->make(init_f64("norm"), kFeatures);
    shake(*norm);
    CHECK(same_bits(norm->forward(x, Rows::single(5), {}), formula(norm->parameters())));
  };
  using P = const std::vector<Named>&;
  check_kind("rms", {"epsilon"}, [&](P p) { return rms_norm(x, p[0].tensor, 1, 0.3); });
  check_kind("scale", {"epsilon"}, [&](P p) { return scale_norm(x, p[0].tensor, 0.3); });
  check_kind("group", {"groups", "epsilon"}, [&](P p) { return group_norm(x, p[0].tensor, p[1].tensor, 2, 0.3); });
  check_kind("dyt", {"alpha"}, [&](P p) { return dynamic_tanh(x, p[0].tensor, p[1].tensor, p[2].tensor); });
  check_kind("none", {}, [&](P) { return x; });
  DynamicTanhOptions options;
  options.alpha = 0.3;
  CHECK(options.make(init_f64("norm"), kFeatures)->parameters()[0].tensor.at(0) == 0.3);
}

TEST_CASE("norms of each token: without options the epsilon is 1e-5 and there are 4 groups") {
  const Tensor x = random_tensor({5, kFeatures}, "x");
  const auto y = [&](const char* kind) { return make(kind)->forward(x, Rows::single(5), {}); };
  CHECK(same_bits(y("rms"), rms_norm(x, {}, 1, 1e-5)));
  CHECK(same_bits(y("scale"), scale_norm(x, Tensor::full({1}, Dtype::f64, std::sqrt(8.0)), 1e-5)));
  CHECK(same_bits(y("group"), group_norm(x, {}, {}, 4, 1e-5)));
}

TEST_CASE("norms of each token: the gradient is exact, and a site shows what comes out") {
  for (const char* kind : {"rms", "scale", "group", "dyt", "none"}) {
    INFO(kind);
    const auto norm = make(kind);
    CHECK(norm->exact_gradient());
    class Sites : public Observer {
     public:
      void value(const std::string& site, const Tensor&) override { values.push_back(site); }
      std::vector<std::string> values;
    } sites;
    const Tape tape(&sites);
    norm->forward(random_tensor({5, kFeatures}, "x").require_gradient(), Rows::single(5), {});
    CHECK(sites.values == std::vector<std::string>{"norm.out"});
  }
}

TEST_CASE("group norm: groups that do not divide the features are a problem, told before anything is built") {
  CHECK(NormConfig("group").problem(8, 2).empty());
  CHECK(NormConfig("group").problem(6, 2) ==
        "the groups of group normalization must divide the features, got 4 groups and 6 features");
}

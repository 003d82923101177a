// The tape: what is recorded, what is not, and what backward refuses.
#include "engine/tape.h"

#include "engine/gradcheck.h"
#include "engine/ops/product.h"
#include "tests/support/catch.h"
#include "tests/support/tensors.h"

using namespace normlab;

namespace {

// y = x * x, with its backward: an op as a user would write it.
Tensor square(const Tensor& x) {
  Tensor y = x.clone();
  for (double& value : y.values<double>()) value *= value;
  return record("square", {&x}, y, [x](const Tensor& dy, Gradients& into) {
    for (Index i = 0; i < x.size(); ++i) {
      into[0].data<double>()[i] += 2 * x.data<double>()[i] * dy.data<double>()[i];
    }
  });
}

Tensor plus(const Tensor& a, const Tensor& b) {
  Tensor y = a.clone();
  for (Index i = 0; i < y.size(); ++i) y.data<double>()[i] += b.data<double>()[i];
  return record("plus", {&a, &b}, y, [](const Tensor& dy, Gradients& into) {
    for (Index input = 0; input < 2; ++input) {
      if (!into.wants(input)) continue;
      for (Index i = 0; i < dy.size(); ++i) into[input].data<double>()[i] += dy.data<double>()[i];
    }
  });
}

Tensor leaf(double value) { return Tensor::scalar(value, Dtype::f64).require_gradient(); }

struct Sites final : Observer {
  std::vector<std::string> seen;
  void value(const std::string& site, const Tensor& x) override { seen.push_back(text(site, "=", x.item())); }
  void gradient(const std::string& site, const Tensor& dx) override { seen.push_back(text("d", site, "=", dx.item())); }
};

}  // namespace

TEST_CASE("a value used twice gets the sum of both gradients") {
  // a = 1; b = a + a; c = b + b: dc/da = 4.
  const Tensor a = leaf(1);
  Tape tape;
  const Tensor b = plus(a, a);
  const Tensor c = plus(b, b);
  tape.backward(c);
  CHECK(c.item() == 4);
  CHECK(a.gradient().item() == 4);
}

TEST_CASE("gradients of a leaf add up over tapes until they are cleared") {
  const Tensor a = leaf(3);
  for (int i = 1; i <= 2; ++i) {
    Tape tape;
    tape.backward(square(a));
    CHECK(a.gradient().item() == 6 * i);
  }
}

TEST_CASE("a diamond runs each node once, after all that use its output") {
  const Tensor a = leaf(3);
  Tape tape;
  const Tensor b = square(a);                    // 9
  const Tensor c = plus(square(b), plus(b, b));  // b^2 + 2b, derivative (2b + 2) * 2a = 120
  tape.backward(c);
  CHECK(a.gradient().item() == 120);
}

TEST_CASE("nothing is recorded without a tape or without a leaf") {
  const Tensor a = leaf(2);
  CHECK(square(a).item() == 4);
  Tape tape;
  const Tensor constant = Tensor::scalar(2, Dtype::f64);
  square(constant);
  CHECK(tape.nodes() == 0);
  square(a);
  CHECK(tape.nodes() == 1);
  square(a.detach());
  CHECK(tape.nodes() == 1);
}

TEST_CASE("a tensor of another tape is a constant") {
  const Tensor a = leaf(2);
  Tensor old;
  {
    Tape tape;
    old = square(a);
  }
  Tape tape;
  const Tensor y = plus(old, a);
  tape.backward(y);
  CHECK(a.gradient().item() == 1);
}

TEST_CASE("a node that the loss does not depend on is left out") {
  const Tensor a = leaf(2), b = leaf(5);
  Tape tape;
  const Tensor unused = square(b);
  tape.backward(square(a));
  CHECK(b.gradient().item() == 0);
  CHECK(unused.item() == 25);
}

TEST_CASE("a gradient given for a reshaped output reaches the op in the shape it made") {
  const auto reshaped = [](const std::vector<Tensor>& in) { return linear(in[0], in[1], in[2]).reshape({24}); };
  const auto result = gradcheck(reshaped, {gaussian({6, 3}, "x"), gaussian({4, 3}, "w"), gaussian({4}, "b")});
  INFO(result.report);
  CHECK(result);
}

TEST_CASE("reshape keeps the place on the tape") {
  Tensor a = Tensor::from<double>({2, 3}, {1, 2, 3, 4, 5, 6});
  a.require_gradient();
  Tape tape;
  const Tensor y = square(square(a).reshape({6}));
  tape.backward(y, Tensor::full({6}, Dtype::f64, 1));
  CHECK(a.gradient().at(1) == Approx(4 * 8));
  CHECK(a.gradient().shape() == Shape{2, 3});
}

TEST_CASE("an observer sees values and complete gradients, and changes nothing") {
  const Tensor a = leaf(3);
  Sites sites;
  Tape tape(&sites);
  const Tensor b = watch("b", square(a));
  tape.backward(plus(b, b));
  CHECK(sites.seen == std::vector<std::string>{"b=9", "db=2"});
  CHECK(a.gradient().item() == 12);
}

TEST_CASE("an observer that wants no values still hears of ops") {
  struct Clock final : Observer {
    std::vector<std::string> seen;
    bool sees_values() const override { return false; }
    void value(const std::string& site, const Tensor&) override { seen.push_back(site); }
    void gradient(const std::string& site, const Tensor&) override { seen.push_back("d" + site); }
    void computed(const char* op) override { seen.push_back(op); }
    void differentiated(const char* op) override { seen.push_back(text("d", op)); }
  } clock;
  const Tensor a = leaf(3);
  Tape tape(&clock);
  CHECK_FALSE(watched());
  tape.backward(watch("site", square(a)));
  CHECK(clock.seen == std::vector<std::string>{"square", "dsquare"});
}

TEST_CASE("a gradient takes memory that nobody else holds") {
  // y = x, with a backward that would write dx over dy.
  struct Seen {
    const void *dy = nullptr, *dx = nullptr;
    bool accumulate = false;
  };
  const auto pass_on = [](const Tensor& x, Seen& seen) {
    return record("pass_on", {&x}, x.clone(), [&seen](const Tensor& dy, Gradients& into) {
      const Gradients::Target target = into.target(0, dy);
      seen = {dy.raw(), target.gradient.raw(), target.accumulate};
      for (Index i = 0; i < dy.size(); ++i) {
        const double before = target.accumulate ? target.gradient.at(i) : 0;
        target.gradient.set(i, before + dy.at(i));
      }
    });
  };
  const Tensor a = leaf(1);
  Seen to_leaf, first, second, last;
  {
    Tape tape;
    const Tensor b = pass_on(a, to_leaf);
    const Tensor left = pass_on(b, first);
    const Tensor c = plus(left, pass_on(b, second));
    const Tensor dy = Tensor::scalar(1, Dtype::f64);
    tape.backward(pass_on(c, last), dy);
    CHECK(dy.item() == 1);
  }
  CHECK(a.gradient().item() == 2);
  CHECK(last.dx != last.dy);  // the caller holds dy
  CHECK(second.dx == second.dy);
  CHECK(first.dx == second.dx);  // b has two users: the other adds
  CHECK(first.accumulate);
  CHECK(to_leaf.dx == a.gradient().raw());
  {
    Tape tape;
    Tensor dy = Tensor::scalar(1, Dtype::f64);
    tape.backward(pass_on(square(a), last), std::move(dy));
    CHECK(last.dx == last.dy);  // the caller gave it away
  }

  // Nor is a gradient overwritten that an observer keeps.
  struct Keeper final : Observer {
    void gradient(const std::string&, const Tensor& dx) override { kept.push_back(dx); }
    std::vector<Tensor> kept;
  } keeper;
  Tape tape(&keeper);
  Seen watched_site;
  tape.backward(square(watch("site", pass_on(square(a), watched_site))));
  CHECK(watched_site.dx != watched_site.dy);
  CHECK(keeper.kept.at(0).item() == 2);
}

TEST_CASE("what an op can make again nobody keeps, until its own backward has run") {
  const auto doubled = [](const Tensor& x, int& made, const Tensor& token) {
    const auto forward = [&made, token, x = x.detach()] {
      ++made;
      Tensor y = x.clone();
      for (double& value : y.values<double>()) value *= 2;
      return y;
    };
    const auto backward = [](const Tensor& dy, Gradients& into) {
      for (Index i = 0; i < dy.size(); ++i) into[0].data<double>()[i] += 2 * dy.at(i);
    };
    return record("doubled", {&x}, forward(), backward, Kept(forward));
  };
  const Tensor x = Tensor::from<double>({2, 3}, {1, 2, 3, 4, 5, 6}).require_gradient();
  const Tensor weight = Tensor::from<double>({1, 6}, {1, -1, 2, -2, 3, -3}).require_gradient();
  const Tensor token = Tensor::scalar(0, Dtype::f64);
  int made = 0;
  Tape tape;
  const Tensor y = doubled(x, made, token);
  const Tensor product = linear(y.reshape({1, 6}), weight, Tensor());
  CHECK(y.alone());  // linear keeps how to make it, not it
  CHECK(Kept(y.reshape({3, 2})).get().shape() == Shape{3, 2});
  CHECK(product.item() == 2 * (1 - 2 + 6 - 8 + 15 - 18));
  CHECK(made == 2);
  CHECK_FALSE(token.alone());
  tape.backward(product);
  CHECK(made == 2);      // once for all who keep it
  CHECK(token.alone());  // nor does the tape hold on to what it has no more use for
  for (Index i = 0; i < 6; ++i) {
    CHECK(weight.gradient().at(i) == 2 * x.at(i));
    CHECK(x.gradient().at(i) == 2 * weight.at(i));
  }

  const Tensor constant = Tensor::zeros({1, 6}, Dtype::f64);
  const Tensor of_constant = doubled(constant, made, token);  // not on a tape: there is nothing to make it from
  {
    Tape another;
    const Tensor kept = linear(of_constant, weight, Tensor());
    CHECK_FALSE(of_constant.alone());
  }
  CHECK(Kept(y).get().raw() == y.raw());  // the tape that made y has been read

  // Nor is what another tape made taken for what stands in its place on this one.
  Tape outer;
  const Tensor of_outer = doubled(square(x), made, token);
  Tape inner;
  const Tensor other = doubled(square(x), made, token);
  CHECK(Kept(of_outer).get().raw() == of_outer.raw());
  CHECK(Kept(other).get().raw() != other.raw());
}

TEST_CASE("backward refuses what it cannot do, and says what to do instead") {
  const Tensor a = leaf(3);
  Tape tape;
  const Tensor y = square(a);
  REQUIRE_THROWS_WITH(tape.backward(Tensor::zeros({2}, Dtype::f64)),
                      ContainsSubstring("wants a loss of one element, got shape [2]"));
  REQUIRE_THROWS_WITH(tape.backward(Tensor::scalar(1, Dtype::f64)), ContainsSubstring("does not depend on any leaf"));
  const Tensor one = Tensor::scalar(1, Dtype::f64);
  REQUIRE_THROWS_WITH(tape.backward(y, Tensor::zeros({2}, Dtype::f64)),
                      "backward: y is f64 of shape [], its gradient f64 of shape [2]");
  REQUIRE_THROWS_WITH(tape.backward(y, one.cast(Dtype::f32)), ContainsSubstring("its gradient f32 of shape []"));
  {
    Tape inner;
    REQUIRE_THROWS_WITH(inner.backward(y, one), ContainsSubstring("does not depend on any leaf"));
  }
  tape.backward(y);
  REQUIRE_THROWS_WITH(tape.backward(y), ContainsSubstring("already read"));
  REQUIRE_THROWS_WITH(square(a), ContainsSubstring("square: recorded after backward()"));
}

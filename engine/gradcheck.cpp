// The gradient checker. See gradcheck.h for what is checked.
#include "gradcheck.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "random.h"
#include "tape.h"

namespace normlab {
namespace {

// A hash of the signs of everything that passes a kink, in order: it changes when one of them changes side.
class KinkWatch final : public Observer {
 public:
  void kink(const Tensor& x) override {
    for (Index i = 0; i < x.size(); ++i) hash_ = (hash_ ^ (x.at(i) > 0 ? 2u : 1u)) * 0x100000001B3ULL;
  }
  std::uint64_t signs() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xCBF29CE484222325ULL;
};

// y = x as an op, so that a gradient also passes through a slot of the tape and not only into leaves.
Tensor identity(const Tensor& x) {
  Tensor y = x.clone();
  return record("identity", {&x}, y, [](const Tensor& dy, Gradients& into) {
    const double* from = dy.data<double>();
    double* to = into[0].data<double>();
    for (Index i = 0; i < dy.size(); ++i) to[i] += from[i];
  });
}

class Checker {
 public:
  Checker(const GradcheckFunction& f, const std::vector<Tensor>& inputs, const GradcheckOptions& options)
      : f_(f), inputs_(inputs), options_(options) {}

  GradcheckResult run() {
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      check(inputs_[i].dtype() == Dtype::f64, "gradcheck: ", name(i), " is ", inputs_[i].dtype(),
            "; differences need f64, f32 has too few digits");
      inputs_[i].require_gradient();
    }
    {
      const Tensor y = f_(inputs_);
      check(y.defined() && y.dtype() == Dtype::f64, "gradcheck: the function must return f64");
      if (!y.all_finite()) return fail(text("the output, of shape ", y.shape(), ", is not finite"));
      cotangent_ = Tensor::empty(y.shape(), Dtype::f64);
      fill_normal(cotangent_, random_stream(options_.seed, "gradcheck.cotangent"), 0, 1);
    }
    const auto analytic = gradients(cotangent_, 0, false);
    compare_with_differences(analytic);
    check_zero_cotangent();
    check_same_bits(analytic);
    check_accumulation(analytic);
    for (Tensor& input : inputs_) input.gradient().fill(0);
    result_.passed = result_.report.empty();
    return result_;
  }

 private:
  std::string name(std::size_t input) const {
    return input < options_.names.size() ? options_.names[input] : text("input ", input);
  }

  // One backward from `dy`. The leaves' gradients start at `before`, which is subtracted again.
  std::vector<std::vector<double>> gradients(const Tensor& dy, double before, bool through_identity) {
    for (Tensor& input : inputs_) input.gradient().fill(before);
    {
      Tape tape;
      std::vector<Tensor> given;
      for (const Tensor& input : inputs_) given.push_back(through_identity ? identity(input) : input);
      const Tensor y = f_(given);
      tape.backward(y, dy);
    }
    std::vector<std::vector<double>> result;
    for (Tensor& input : inputs_) {
      const auto values = input.gradient().values<double>();
      result.emplace_back(values.begin(), values.end());
      for (double& value : result.back()) value -= before;
    }
    return result;
  }

  // <cotangent, f(inputs)>, in extended precision, and the sides on which all kinks were passed.
  std::pair<long double, std::uint64_t> inner_product() {
    KinkWatch kinks;
    Tape tape(&kinks);
    const Tensor y = f_(inputs_);
    long double sum = 0;
    for (Index i = 0; i < y.size(); ++i) {
      sum += static_cast<long double>(cotangent_.at(i)) * static_cast<long double>(y.at(i));
    }
    return {sum, kinks.signs()};
  }

  // The elements of an input to look at, in an order that goes on where some are left out.
  std::vector<Index> order_of_elements(std::size_t input) {
    std::vector<Index> order(static_cast<std::size_t>(inputs_[input].size()));
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<Index>(i);
    if (options_.elements > 0) {
      Random random(random_stream(options_.seed, "gradcheck.elements", input));
      random.shuffle(std::span<Index>(order));
    }
    return order;
  }

  void compare_with_differences(const std::vector<std::vector<double>>& analytic) {
    for (std::size_t input = 0; input < inputs_.size(); ++input) {
      Index compared = 0;
      for (const Index element : order_of_elements(input)) {
        if (options_.elements > 0 && compared == options_.elements) break;
        double& x = inputs_[input].data<double>()[element];
        const double kept = x;
        x = kept + options_.step;
        const double up = x;
        const auto [high, signs_high] = inner_product();
        x = kept - options_.step;
        const double down = x;
        const auto [low, signs_low] = inner_product();
        x = kept;
        if (signs_high != signs_low) {
          ++result_.redrawn;
          continue;
        }
        ++compared;
        compare(input, element, analytic[input][static_cast<std::size_t>(element)],
                static_cast<double>((high - low) / (static_cast<long double>(up) - static_cast<long double>(down))));
      }
      if (compared == 0 && inputs_[input].size() > 0) {
        add_failure(text(name(input), ": every element lies within the step of a kink; nothing could be compared"));
      }
    }
  }

  void compare(std::size_t input, Index element, double analytic, double numeric) {
    ++result_.checked;
    const double allowed = options_.absolute + options_.relative * std::abs(numeric);
    const double error = std::abs(analytic - numeric);
    const double share = error / allowed;
    if (!(share <= result_.worst)) result_.worst = std::isnan(share) ? std::numeric_limits<double>::infinity() : share;
    if (!(error <= allowed)) {  // written so that NaN fails
      std::ostringstream line;
      line.precision(12);
      line << "output " << cotangent_.shape() << ", " << name(input) << " " << inputs_[input].shape() << ", element "
           << position(inputs_[input].shape(), element) << ": analytic " << analytic << ", numeric " << numeric
           << ", difference " << error << " where " << allowed << " is allowed";
      add_failure(line.str());
    }
  }

  void check_zero_cotangent() {
    const auto zero = gradients(Tensor::zeros(cotangent_.shape(), Dtype::f64), 0, false);
    for (std::size_t input = 0; input < zero.size(); ++input) {
      for (std::size_t i = 0; i < zero[input].size(); ++i) {
        if (!(zero[input][i] == 0)) {
          add_failure(text(name(input), ", element ", position(inputs_[input].shape(), static_cast<Index>(i)),
                           ": a zero cotangent must give exactly 0, gave ", zero[input][i]));
          break;
        }
      }
    }
  }

  void check_same_bits(const std::vector<std::vector<double>>& first) {
    const auto second = gradients(cotangent_, 0, false);
    for (std::size_t input = 0; input < first.size(); ++input) {
      if (std::memcmp(first[input].data(), second[input].data(), first[input].size() * sizeof(double)) != 0) {
        add_failure(text(name(input), ": backward twice gave different bits"));
      }
    }
  }

  // A backward must add to the gradient that is there: a leaf's own from before, and that of a value inside the tape.
  void check_accumulation(const std::vector<std::vector<double>>& plain) {
    for (const bool through_identity : {false, true}) {
      const auto again = gradients(cotangent_, through_identity ? 0 : 1.5, through_identity);
      for (std::size_t input = 0; input < plain.size(); ++input) {
        for (std::size_t i = 0; i < plain[input].size(); ++i) {
          const double error = std::abs(again[input][i] - plain[input][i]);
          if (!(error <= 1e-12 * (1.5 + std::abs(plain[input][i])))) {
            add_failure(text(name(input), ", element ", position(inputs_[input].shape(), static_cast<Index>(i)),
                             through_identity ? ": the gradient of an intermediate value is "
                                              : ": backward must add to the gradient that is there: it added ",
                             again[input][i], " where ", plain[input][i], " was expected"));
            break;
          }
        }
      }
    }
  }

  // A flat index as [row, column, …].
  static std::string position(const Shape& shape, Index flat) {
    std::vector<Index> at(static_cast<std::size_t>(shape.rank()));
    for (std::size_t axis = at.size(); axis-- > 0;) {
      at[axis] = flat % shape[static_cast<Index>(axis)];
      flat /= shape[static_cast<Index>(axis)];
    }
    return text(Shape(at));
  }

  GradcheckResult fail(const std::string& line) {
    add_failure(line);
    return result_;
  }

  void add_failure(const std::string& line) {
    constexpr int kMostLines = 10;
    if (++failures_ <= kMostLines) {
      result_.report += "gradcheck: " + line + "\n";
    } else if (failures_ == kMostLines + 1) {
      result_.report += "gradcheck: … and more\n";
    }
  }

  const GradcheckFunction& f_;
  std::vector<Tensor> inputs_;
  const GradcheckOptions& options_;
  Tensor cotangent_;
  GradcheckResult result_;
  int failures_ = 0;
};

}  // namespace

GradcheckResult gradcheck(const GradcheckFunction& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options) {
  return Checker(f, inputs, options).run();
}

}  // namespace normlab

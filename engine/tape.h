// The tape: reverse-mode differentiation as a list of nodes and one loop.
//
//   {
//     Tape tape;                        // ops record while it lives; the innermost one is current
//     Tensor loss = f(x, weight);
//     tape.backward(loss);              // every leaf's gradient() has d loss / d leaf added to it
//   }                                   // evaluation is the same code with no tape
//
// An op is a free function: check shapes, compute y, then `return record("op", {&x, &w}, y, backward)`. The closure is
// given dy, the gradient of y, and *adds* dx and dw to the gradients of its inputs. Its captures are what the op saved:
// until backward has run nobody may change the numbers of an op's inputs, nor of what it returned.
// Nodes stand in creation order, which is topological, so backward reads them from the end. A node is only recorded
// when an input leads to a leaf. After a node has run, its closure and its dy are dropped: memory falls as backward
// proceeds.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tensor.h"

namespace normlab {

// The gradients a backward closure adds to, one per input of its op, in the order they were given to record().
class Gradients {
 public:
  virtual ~Gradients() = default;
  // Does input i lead to a leaf? If not, its gradient need not be computed, and must not be asked for.
  virtual bool wants(Index input) const = 0;
  // The gradient of input i to add to; all zero at first touch.
  virtual Tensor& operator[](Index input) = 0;
  // The same without the zeroing: when `accumulate` is false the buffer holds garbage and must be overwritten in full.
  struct Target {
    Tensor& gradient;
    bool accumulate;
  };
  Target target(Index input) { return target(input, {}); }
  // The same without new memory where that can be: the buffer to overwrite may be that of `dying`, its numbers still
  // there, when no other handle shares it. `dying` is dy, or something that the op saved, of the gradient's size and
  // dtype.
  virtual Target target(Index input, const Tensor& dying) = 0;
};

using Backward = std::function<void(const Tensor& dy, Gradients& into)>;
// Makes an op's output once more, the same to the bit, from what the op saved; in memory that nobody else holds.
using Remake = std::function<Tensor()>;

// What an op keeps of a tensor for its backward: the tensor, or how to make it again. `linear` keeps its input so: of a
// norm in front of a branch only x is kept, not also its normalized copy. Where it is made again, then at the first
// get() and for all copies of this Kept, as long as one of them lives.
class Kept {
 public:
  Kept() = default;
  explicit Kept(const Tensor& x);  // as the op that made x says
  explicit Kept(Remake remake);
  // How x is made again; nothing where its op does not say, and x itself must be kept.
  static std::optional<Remake> recipe(const Tensor& x);
  Tensor get() const;  // off the tape

 private:
  friend class Tape;
  struct Again;
  Tensor x_;
  std::optional<Shape> shape_;  // of x, which may have been reshaped since its op made it
  std::shared_ptr<Again> again_;
};

// Looks on at a tape without changing what is computed.
class Observer {
 public:
  virtual ~Observer() = default;
  // Does it want values, gradients and kinks? One that does not lets modules compute in one op what nobody sees.
  virtual bool sees_values() const { return true; }
  // A value passed through watch(); and its complete gradient during backward, before it is used and freed. (That of
  // logits which linear_cross_entropy makes block by block is shown then and there.)
  virtual void value(const std::string& /*site*/, const Tensor& /*value*/) {}
  virtual void gradient(const std::string& /*site*/, const Tensor& /*gradient*/) {}
  // The input of an op whose derivative jumps at zero (ReLU): a difference quotient across the jump means nothing.
  virtual void kink(const Tensor& /*x*/) {}
  // An op has been computed; in backward, its gradients have. A clock tells from the two where the time of a step goes.
  virtual void computed(const char* /*op*/) {}
  virtual void differentiated(const char* /*op*/) {}
};

class Tape {
 public:
  explicit Tape(Observer* observer = nullptr);
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  // Adds the gradient of `loss`, a tensor of one element, to every leaf it depends on. Once per tape.
  void backward(const Tensor& loss);
  // The same for a tensor of any shape with the gradient `dy` of something computed from it. Moved in, dy is one more
  // buffer that backward may write over.
  void backward(const Tensor& y, Tensor dy);

  Index nodes() const;
  static Tape* current();  // the innermost living tape of this thread, or null
  Observer* observer() const { return observer_; }

  struct Node;
  struct Slot;

 private:
  friend Tensor record(const char*, std::initializer_list<const Tensor*>, Tensor, Backward, const Kept&);
  friend Tensor watch(const std::string&, const Tensor&);
  friend class SlotGradients;
  Tensor add_node(const char* op, std::initializer_list<const Tensor*> inputs, Tensor y, Backward backward,
                  const Kept& again);
  void add_site(const std::string& site, const Tensor& x);

  std::uint64_t id_;
  Observer* observer_;
  Tape* outer_;
  std::vector<Node> nodes_;
  std::vector<Slot> slots_;
  bool done_ = false;
};

// Puts y on the current tape as the output of `op` on `inputs`. Returns y unchanged when there is no tape or no
// input leads to a leaf. Undefined tensors among the inputs (an absent bias) are allowed and want no gradient. An op
// whose y takes little work, as a norm's, says in `again` how it is made, so that nobody has to keep y.
Tensor record(const char* op, std::initializer_list<const Tensor*> inputs, Tensor y, Backward backward,
              const Kept& again = {});

// Shows x to the current tape's observer under the name `site`; returns x. Costs a comparison when nobody looks.
Tensor watch(const std::string& site, const Tensor& x);
inline bool watched() {
  const Observer* observer = Tape::current() ? Tape::current()->observer() : nullptr;
  return observer && observer->sees_values();
}

}  // namespace normlab

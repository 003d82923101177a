// The tape: recording, and the one loop backwards.
#include "tape.h"

#include <atomic>

namespace normlab {
namespace {

thread_local Tape* current_tape = nullptr;
std::atomic<std::uint64_t> next_tape_id{1};

}  // namespace

// Where the gradient of an input goes: to a slot of this tape, to a leaf, or (neither) nowhere.
struct Edge {
  Index slot = -1;
  std::shared_ptr<Tensor> leaf;
  bool wanted() const { return slot >= 0 || leaf; }
};

struct Tape::Node {
  const char* op;
  std::vector<Edge> inputs;
  Index output;  // slot
  Backward backward;
};

struct Kept::Again {
  Remake make;
  Tensor made;
};

// The output of a node: what its gradient looks like, the gradient once someone has added to it, who looks at it, and
// how to make it again, if its op said so.
struct Tape::Slot {
  Shape shape;
  Dtype dtype;
  Tensor gradient;
  std::vector<std::string> sites;
  std::shared_ptr<Kept::Again> again;

  // That of x on the current tape; null where x is not on it.
  static Slot* of(const Tensor& x) {
    if (!current_tape || x.tape_ != current_tape->id_) return nullptr;
    return &current_tape->slots_[static_cast<std::size_t>(x.slot_)];
  }
};

class SlotGradients final : public Gradients {
 public:
  SlotGradients(Tape& tape, const std::vector<Edge>& inputs) : tape_(tape), inputs_(inputs) {}

  bool wants(Index input) const override { return edge(input).wanted(); }

  Tensor& operator[](Index input) override {
    const Target target = Gradients::target(input);
    if (!target.accumulate) target.gradient.fill(0);
    return target.gradient;
  }

  Target target(Index input, const Tensor& dying) override {
    const Edge& to = edge(input);
    if (to.leaf) return {*to.leaf, true};
    check(to.slot >= 0, "backward: asked for the gradient of input ", input, ", which is not wanted");
    Tape::Slot& slot = tape_.slots_[static_cast<std::size_t>(to.slot)];
    const bool fresh = !slot.gradient.defined();
    if (fresh) {
      slot.gradient = dying.alone() ? dying.detach().reshape(slot.shape) : Tensor::empty(slot.shape, slot.dtype);
    }
    return {slot.gradient, !fresh};
  }

 private:
  const Edge& edge(Index input) const { return inputs_.at(static_cast<std::size_t>(input)); }
  Tape& tape_;
  const std::vector<Edge>& inputs_;
};

Tape::Tape(Observer* observer) : id_(next_tape_id++), observer_(observer), outer_(current_tape) { current_tape = this; }

Tape::~Tape() { current_tape = outer_; }

Tape* Tape::current() { return current_tape; }

Index Tape::nodes() const { return static_cast<Index>(nodes_.size()); }

Tensor Tape::add_node(const char* op, std::initializer_list<const Tensor*> inputs, Tensor y, Backward backward,
                      const Kept& again) {
  if (observer_) observer_->computed(op);
  std::vector<Edge> edges;
  edges.reserve(inputs.size());
  bool wanted = false;
  for (const Tensor* input : inputs) {
    Edge edge;
    if (input->gradient_) {
      edge.leaf = input->gradient_;
    } else if (input->tape_ == id_) {
      edge.slot = input->slot_;
    }
    wanted = wanted || edge.wanted();
    edges.push_back(std::move(edge));
  }
  if (!wanted) return y;
  check(!done_, op, ": recorded after backward(); start a new Tape");
  y.tape_ = id_;
  y.slot_ = static_cast<Index>(slots_.size());
  slots_.push_back({y.shape(), y.dtype(), {}, {}, again.again_});
  nodes_.push_back({op, std::move(edges), y.slot_, std::move(backward)});
  return y;
}

void Tape::add_site(const std::string& site, const Tensor& x) {
  observer_->value(site, x);
  if (Slot* slot = Slot::of(x)) slot->sites.push_back(site);
}

Tensor record(const char* op, std::initializer_list<const Tensor*> inputs, Tensor y, Backward backward,
              const Kept& again) {
  return current_tape ? current_tape->add_node(op, inputs, std::move(y), std::move(backward), again) : y;
}

Kept::Kept(const Tensor& x) : shape_(x.shape()) {
  if (const Tape::Slot* slot = Tape::Slot::of(x)) again_ = slot->again;
  if (!again_) x_ = x.detach();
}

Kept::Kept(Remake remake) : again_(std::make_shared<Again>(Again{std::move(remake), {}})) {}

std::optional<Remake> Kept::recipe(const Tensor& x) {
  const Tape::Slot* slot = Tape::Slot::of(x);
  if (!slot || !slot->again) return std::nullopt;
  return [again = slot->again, shape = x.shape()] { return again->make().reshape(shape); };
}

Tensor Kept::get() const {
  if (!again_) return x_;
  if (!again_->made.defined()) again_->made = again_->make();
  return shape_ ? again_->made.reshape(*shape_) : again_->made;
}

Tensor watch(const std::string& site, const Tensor& x) {
  if (watched()) current_tape->add_site(site, x);
  return x;
}

void Tape::backward(const Tensor& loss) {
  check(loss.defined() && loss.size() == 1, "backward: wants a loss of one element, got shape ", loss.shape(),
        "; give the gradient of anything larger as a second argument");
  backward(loss, Tensor::full(loss.shape(), loss.dtype(), 1));
}

void Tape::backward(const Tensor& y, Tensor dy) {
  check(!done_, "backward: this tape was already read; record the computation on a new Tape");
  check(y.shape() == dy.shape() && y.dtype() == dy.dtype(), "backward: y is ", y.dtype(), " of shape ", y.shape(),
        ", its gradient ", dy.dtype(), " of shape ", dy.shape());
  check(y.tape_ == id_, "backward: y does not depend on any leaf through ops recorded on this tape");
  done_ = true;
  Slot& last = slots_[static_cast<std::size_t>(y.slot_)];
  last.gradient = dy.detach().reshape(last.shape);  // y may have been reshaped since its op made it
  dy = {};                                          // the slot alone holds it now, unless the caller kept it
  for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
    Slot& slot = slots_[static_cast<std::size_t>(node->output)];
    // All that used this output has run: its gradient is complete. None at all means that y does not depend on it.
    const Tensor gradient = std::move(slot.gradient);
    slot.gradient = {};
    if (gradient.defined()) {
      for (const std::string& site : slot.sites) observer_->gradient(site, gradient);
      SlotGradients into(*this, node->inputs);
      node->backward(gradient, into);
    }
    node->backward = nullptr;
    slot.again = nullptr;
    if (observer_) observer_->differentiated(node->op);
  }
}

}  // namespace normlab

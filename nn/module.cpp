// The registry behind Module: names, owned children, and walks over the tree.
#include "module.h"

#include <algorithm>

namespace normlab {
namespace {

// An Error that already says which module it left.
class ModuleError : public Error {
 public:
  using Error::Error;
};

}  // namespace

std::vector<Named> Module::parameters() const {
  std::vector<Named> all = parameters_;
  for (const auto& child : children_) {
    std::vector<Named> below = child->parameters();
    all.insert(all.end(), below.begin(), below.end());
  }
  return all;
}

std::vector<Named> Module::buffers() const {
  std::vector<Named> all = buffers_;
  for (const auto& child : children_) {
    std::vector<Named> below = child->buffers();
    all.insert(all.end(), below.begin(), below.end());
  }
  return all;
}

Index Module::parameter_count() const {
  Index count = 0;
  for (const Named& parameter : parameters()) count += parameter.shape.size();
  return count;
}

std::vector<const Module*> Module::modules() const {
  std::vector<const Module*> all = {this};
  for (const auto& child : children_) {
    std::vector<const Module*> below = child->modules();
    all.insert(all.end(), below.begin(), below.end());
  }
  return all;
}

void Module::commit() {
  commit_own();
  for (const auto& child : children_) child->commit();
}

Tensor Module::parameter(const std::string& name, Shape shape, const Initializer& initializer) {
  claim(name);
  std::string path = init_.at(name);
  Tensor tensor;
  if (init_.allocate) {
    tensor = Tensor::empty(shape, init_.dtype);
    initializer(tensor, random_stream(init_.seed, path));
    tensor.require_gradient();
  }
  parameters_.push_back({std::move(path), tensor, std::move(shape)});
  return tensor;
}

Tensor Module::buffer(const std::string& name, Shape shape, double value) {
  claim(name);
  Tensor tensor;
  if (init_.allocate) tensor = Tensor::full(shape, init_.dtype, value);
  buffers_.push_back({init_.at(name), tensor, std::move(shape)});
  return tensor;
}

Tensor Module::watch(const char* name, const Tensor& x) const {
  return watched() ? normlab::watch(init_.at(name), x) : x;
}

void Module::claim(const std::string& name) {
  check(std::find(names_.begin(), names_.end(), name) == names_.end(), "module: a name must be used once, got \"",
        init_.at(name), "\" twice");
  names_.push_back(name);
}

void Module::adopt_module(const std::string& name, std::unique_ptr<Module> module) {
  if (name.empty()) {
    for (const std::string& inner : module->names_) claim(inner);
  } else {
    claim(name);
  }
  children_.push_back(std::move(module));
}

void Module::rethrow_with_path() const {
  try {
    throw;
  } catch (const ModuleError&) {
    throw;
  } catch (const MachineError&) {
    throw;
  } catch (const Error& error) {
    throw ModuleError(path().empty() ? error.what() : text(path(), ": ", error.what()));
  }
}

}  // namespace normlab

// Module: named parameters, buffers and children. The dotted path ("encoder.layers.0.attention.query.weight") names the
// checkpoint entry, the probe's site, the random stream and the error.
//
// A module registers everything in its initialiser list; there is no other way to make a parameter, so none can be
// forgotten:
//
//   Linear::Linear(const Init& init, Index in, Index out)
//       : Module(init), weight_(parameter("weight", {out, in}, xavier_normal(in, out))),
//         bias_(parameter("bias", {out}, constant(0))) {}
//
// The base owns children; members refer to them. Modules are neither copied nor moved.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "../engine/tape.h"
#include "init.h"
#include "pass.h"

namespace normlab {

// A parameter or buffer with its full path. The tensor is a handle: writing to its numbers changes the module.
struct Named {
  std::string path;
  Tensor tensor;  // undefined in a module built with Init::allocate off
  Shape shape;
};

class Module {
 public:
  virtual ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  const std::string& path() const { return init_.path; }
  std::vector<Named> parameters() const;  // own first, then the children's, in registration order
  std::vector<Named> buffers() const;
  Index parameter_count() const;
  std::vector<const Module*> modules() const;  // this one and all below it, in registration order

  // Folds the statistics of the last training forward and backward into the buffers. Called by the trainer, never by
  // forward, so that an evaluation or a gradient check leaves no trace.
  void commit();

 protected:
  explicit Module(const Init& init) : init_(init) {}

  Tensor parameter(const std::string& name, Shape shape, const Initializer& initializer);
  Tensor buffer(const std::string& name, Shape shape, double value);
  // Makes and owns T(init of that child, arguments…).
  template <class T, class... Arguments>
  T& child(const std::string& name, Arguments&&... arguments) {
    return adopt(name, std::make_unique<T>(init_.child(name), std::forward<Arguments>(arguments)...));
  }
  // Owns a child made elsewhere (by a registry) with init_.child(name). A child without a name ("") stands at its
  // parent's own path: its names are among the parent's.
  template <class T>
  T& adopt(const std::string& name, std::unique_ptr<T> module) {
    T& reference = *module;
    adopt_module(name, std::move(module));
    return reference;
  }
  // What every forward returns: body(), shown to whoever looks as the site "path.out". An Error on its way out of a
  // model gets the path of the innermost module put in front: "layers.3.attention.query: linear: …".
  template <class Body>
  Tensor output(Body&& body) const {
    try {
      return watch("out", body());
    } catch (const Error&) {
      rethrow_with_path();
    }
  }
  // The Error being handled, with the path of this module in front unless it has one.
  [[noreturn]] void rethrow_with_path() const;
  // Shows x to whoever looks, as the site "path.name".
  Tensor watch(const char* name, const Tensor& x) const;
  // What this module alone does on commit().
  virtual void commit_own() {}

  const Init init_;

 private:
  void claim(const std::string& name);  // Error when a module uses a name twice
  void adopt_module(const std::string& name, std::unique_ptr<Module> module);

  std::vector<std::string> names_;
  std::vector<Named> parameters_;
  std::vector<Named> buffers_;
  std::vector<std::unique_ptr<Module>> children_;
};

}  // namespace normlab

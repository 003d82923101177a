// Reference values: the cases stored under tests/reference, and the comparison with them.
//
//   for_each_reference("ops", [](const std::string& op, ReferenceCase& reference) {
//     Tensor x = reference.input("x");
//     …
//   });
//
// Every case is visited in f64 and in f32, and a test that leaves a tensor or a setting of it unused fails: nothing
// stored is passed over in silence. See tests/reference/make_reference.py for what the files hold.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/rows.h"
#include "engine/tensor.h"

namespace normlab {

class Tape;

class ReferenceCase {
 public:
  ReferenceCase(std::string name, Dtype dtype) : name_(std::move(name)), dtype_(dtype) {}

  Dtype dtype() const { return dtype_; }
  double tolerance() const { return dtype_ == Dtype::f64 ? 1e-10 : 1e-5; }
  bool has(const std::string& tensor) const { return tensors_.count(tensor) != 0; }

  Tensor constant(const std::string& tensor);  // reals in the case's dtype, integers as i32
  Tensor input(const std::string& tensor);     // a leaf; an undefined tensor when there is none of that name
  std::vector<Index> integers(const std::string& tensor);
  double setting(const std::string& name);
  // Sequences of the lengths stored as `lengths`; the flags `counted`, if there are any, say which rows count.
  Rows rows(const std::string& lengths, const std::string& counted = {});

  // Compares with the stored tensor: the largest difference over the largest magnitude stored is at most tolerance().
  // A tensor of zeros is measured by the case's largest magnitude instead.
  void compare(const std::string& tensor, const Tensor& actual);
  // y with "y", then, after backward from the stored "dy", the gradient of every input() with "d<name>".
  void compare_with_gradients(Tape& tape, const Tensor& y);
  // Fails the test when something stored was not asked for.
  void finish() const;

 private:
  friend void for_each_reference(const std::string&, const std::function<void(const std::string&, ReferenceCase&)>&);
  const Tensor& stored(const std::string& tensor);

  std::string name_;
  Dtype dtype_;
  std::map<std::string, Tensor> tensors_;  // reals as f64
  std::map<std::string, double> settings_;
  std::map<std::string, Tensor> inputs_;
  std::set<std::string> used_;
};

// Calls `test` with each case of tests/reference/<file>.safetensors, in f64 and in f32, and the first part of its name.
void for_each_reference(const std::string& file,
                        const std::function<void(const std::string& op, ReferenceCase& reference)>& test);

}  // namespace normlab

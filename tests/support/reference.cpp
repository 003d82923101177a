// Reference values: reading the stored files. They are our own and small, so this reader checks little of the format.
#include "reference.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "engine/tape.h"
#include "tests/support/catch.h"

namespace normlab {

namespace {

double largest(const Tensor& x) {
  double result = 0;
  for (Index i = 0; i < x.size(); ++i) result = std::max(result, std::abs(x.at(i)));
  return result;
}

Tensor parse_tensor(const nlohmann::json& entry, const std::string& data, std::size_t start) {
  const Dtype dtype = entry.at("dtype") == "F64" ? Dtype::f64 : Dtype::i32;
  Tensor result = Tensor::empty(Shape(entry.at("shape").get<std::vector<Index>>()), dtype);
  const std::size_t begin = start + entry.at("data_offsets").at(0).get<std::size_t>();
  check(begin + result.bytes() <= data.size(), "reference: the file is cut");
  std::memcpy(result.raw(), data.data() + begin, result.bytes());
  return result;
}

// "linear/bias/dx" -> ("linear/bias", "dx")
std::pair<std::string, std::string> split_name(const std::string& name) {
  const std::size_t slash = name.find('/', name.find('/') + 1);
  return {name.substr(0, slash), name.substr(slash + 1)};
}

}  // namespace

const Tensor& ReferenceCase::stored(const std::string& tensor) {
  INFO(name_ << " stores no tensor " << tensor);
  REQUIRE(has(tensor));
  used_.insert(tensor);
  return tensors_.at(tensor);
}

Tensor ReferenceCase::constant(const std::string& tensor) {
  const Tensor& value = stored(tensor);
  return value.dtype() == Dtype::i32 ? value.clone() : value.cast(dtype_);
}

Tensor ReferenceCase::input(const std::string& tensor) {
  if (!has(tensor)) return {};
  return inputs_[tensor] = constant(tensor).require_gradient();
}

std::vector<Index> ReferenceCase::integers(const std::string& tensor) {
  const Tensor value = constant(tensor);
  const auto values = value.values<std::int32_t>();
  return {values.begin(), values.end()};
}

double ReferenceCase::setting(const std::string& name) {
  INFO(name_ << " stores no setting " << name);
  REQUIRE(settings_.count(name) == 1);
  used_.insert(name);
  return settings_.at(name);
}

Rows ReferenceCase::rows(const std::string& lengths, const std::string& counted) {
  const Rows all = Rows::of_lengths(integers(lengths));
  if (!has(counted)) return all;
  const std::vector<Index> flags = integers(counted);
  return Rows(all.offsets(), {flags.begin(), flags.end()});
}

void ReferenceCase::compare(const std::string& tensor, const Tensor& actual) {
  const Tensor& expected = stored(tensor);
  INFO(name_ << ", " << tensor << " in " << dtype_);
  REQUIRE(actual.defined());
  REQUIRE(actual.shape() == expected.shape());
  REQUIRE(actual.dtype() == dtype_);
  double scale = largest(expected);
  if (scale == 0) {
    for (const auto& other : tensors_) scale = std::max(scale, largest(other.second));
  }
  for (Index i = 0; i < expected.size(); ++i) {
    if (!(std::abs(actual.at(i) - expected.at(i)) <= tolerance() * scale)) {  // NaN is not <=
      FAIL_CHECK("element " << i << " is " << actual.at(i) << ", expected " << expected.at(i));
      return;
    }
  }
  SUCCEED();
}

void ReferenceCase::compare_with_gradients(Tape& tape, const Tensor& y) {
  compare("y", y);
  tape.backward(y, constant("dy"));
  for (const auto& [name, leaf] : inputs_) compare("d" + name, leaf.gradient());
}

void ReferenceCase::finish() const {
  for (const auto& entry : tensors_) {
    INFO(name_ << "/" << entry.first << " is stored, and the test does not use it");
    CHECK(used_.count(entry.first) == 1);
  }
  for (const auto& entry : settings_) {
    INFO(name_ << "/" << entry.first << " is a setting that the test does not use");
    CHECK(used_.count(entry.first) == 1);
  }
}

void for_each_reference(const std::string& file,
                        const std::function<void(const std::string&, ReferenceCase&)>& test) {
  const std::string path = NORMLAB_SOURCE_DIR "/tests/reference/" + file + ".safetensors";
  std::ifstream in(path, std::ios::binary);
  const std::string data{std::istreambuf_iterator<char>(in), {}};
  INFO(path);
  REQUIRE(data.size() > 8);
  std::uint64_t length = 0;
  std::memcpy(&length, data.data(), 8);
  const nlohmann::json header = nlohmann::json::parse(data.substr(8, length));

  for (Dtype dtype : {Dtype::f64, Dtype::f32}) {
    std::map<std::string, ReferenceCase> cases;
    const auto at = [&](const std::string& name) -> ReferenceCase& {
      return cases.try_emplace(name, name, dtype).first->second;
    };
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") continue;
      const auto [case_name, tensor] = split_name(name);
      at(case_name).tensors_[tensor] = parse_tensor(entry, data, 8 + length);
    }
    for (const auto& [name, value] : header.at("__metadata__").items()) {
      const auto [case_name, setting] = split_name(name);
      at(case_name).settings_[setting] = std::stod(value.get<std::string>());
    }
    for (auto& [name, reference] : cases) {
      INFO(name << " in " << dtype);
      test(name.substr(0, name.find('/')), reference);
      reference.finish();
    }
  }
}

}  // namespace normlab

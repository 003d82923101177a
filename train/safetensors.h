// Safetensors: named tensors in a file that other programs read too (https://github.com/huggingface/safetensors).
//
//   8 bytes      N, the length of the header, little-endian
//   N bytes      {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, "__metadata__": {"key": "text"}}
//   the rest     the numbers, little-endian and row-major, one tensor after the other without gaps
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "../engine/tensor.h"

namespace normlab {

struct Safetensors {
  std::map<std::string, Tensor> tensors;        // f32, f64 and i32: "F32", "F64" and "I32" in the file
  std::map<std::string, std::string> metadata;  // texts only, as the format has it
};

// Writes the file as AtomicFile does: whole, or not at all. The same content gives the same bytes. Error when a name or
// a text is not UTF-8 or a tensor is undefined; MachineError when the file cannot be written.
void write_safetensors(const std::filesystem::path& path, const Safetensors& content);

// Reads a file, as strict as the reference implementation and stricter in two things: the header must begin with "{"
// and no key may occur twice at any depth. No tensor is made before the header has been found to agree with the
// file's size. Error "<path>: not a whole safetensors file: …" when anything is wrong with it, a dtype other than ours
// included.
Safetensors read_safetensors(const std::filesystem::path& path);

}  // namespace normlab

// The file format: what the reference implementation writes is read and written again to the same bytes, and every kind
// of damage is refused with a message.
#include "train/safetensors.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "tests/support/catch.h"
#include "tests/train/full_disk.h"
#include "tests/support/temporary_folder.h"
#include "train/files.h"

using namespace normlab;
using test::TemporaryFolder;

namespace {

const char* kReference = NORMLAB_SOURCE_DIR "/tests/reference/optimizers.safetensors";

std::string with_length(std::uint64_t length, const std::string& rest) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + rest;
}

// A file of a header and `data` zero bytes.
std::string file_of(const std::string& header, std::size_t data = 0) {
  return with_length(header.size(), header + std::string(data, '\0'));
}

// What reading these bytes throws; empty when it does not.
std::string refusal(const TemporaryFolder& folder, const std::string& bytes) {
  write_file(folder / "file", bytes);
  try {
    read_safetensors(folder / "file");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("A file of the reference implementation is read", "[safetensors]") {
  const Safetensors content = read_safetensors(kReference);
  CHECK(content.metadata.count("torch") == 1);
  CHECK(content.tensors.size() == 7 * 3 + 5);
  const Tensor scalar = content.tensors.at("format.scalar");
  CHECK(scalar.shape() == Shape{});
  CHECK(scalar.item() == 0.1);
  CHECK(content.tensors.at("format.empty").shape() == Shape{0, 3});
  const Tensor real = content.tensors.at("format.float");
  CHECK(real.dtype() == Dtype::f32);
  CHECK(real.shape() == Shape{1, 3});
  CHECK(real.at(1) == -2);
  CHECK(std::isinf(real.at(2)));
  const Tensor ids = content.tensors.at("format.ids");
  CHECK(ids.dtype() == Dtype::i32);
  CHECK(ids.at(1) == -1);
  CHECK(ids.at(2) == 2147483647);
  CHECK(content.tensors.at("format.\"é\"\n").at(0) == 3);
}

TEST_CASE("What is written are the reference's bytes", "[safetensors]") {
  const TemporaryFolder folder;
  write_safetensors(folder / "copy", read_safetensors(kReference));
  CHECK(read_file(folder / "copy") == read_file(kReference));
}

TEST_CASE("An empty file of the format", "[safetensors]") {
  const TemporaryFolder folder;
  write_safetensors(folder / "empty", {});
  CHECK(read_file(folder / "empty") == file_of("{}      "));
  CHECK(read_safetensors(folder / "empty").tensors.empty());
}

TEST_CASE("Names and texts that cannot be written are refused before anything is", "[safetensors]") {
  const TemporaryFolder folder;
  const Tensor one = Tensor::scalar(1, Dtype::f32);
  REQUIRE_THROWS_WITH(write_safetensors(folder / "file", {{{"\xff", one}}, {}}), ContainsSubstring("must be UTF-8"));
  REQUIRE_THROWS_WITH(write_safetensors(folder / "file", {{{"a", Tensor()}}, {}}), ContainsSubstring("has no value"));
  REQUIRE_THROWS_WITH(write_safetensors(folder / "file", {{{"__metadata__", one}}, {}}),
                      ContainsSubstring("cannot be named"));
  CHECK(folder.names().empty());
}

TEST_CASE("Damaged files are refused, each with its reason", "[safetensors]") {
  const TemporaryFolder folder;
  const std::string a = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  REQUIRE(refusal(folder, file_of("{" + a + "}", 8)).empty());
  REQUIRE(refusal(folder, file_of("{" + a + "}  ", 8)).empty());

  const std::string nested(100'000, '[');
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "at least 8 bytes are needed, it has 0"},
      {"1234567", "at least 8 bytes are needed, it has 7"},
      {with_length(std::numeric_limits<std::uint64_t>::max(), "{}"), "the header may have 100000000 bytes, this says"},
      {with_length(100'000'001, "{}"), "the header may have 100000000 bytes, this says 100000001"},
      {with_length(100'000'000, "{}"), "the header has 100000000 bytes, only 2 follow (cut)"},
      {with_length(0, ""), "the header must begin with {"},
      {with_length(0x7ff8000000000000, "{}"), "the header may have"},  // the bits of a NaN
      {file_of(" {}"), "the header must begin with {"},
      {file_of("[]"), "the header must begin with {"},
      {file_of(std::string("{}\0", 3)), "zero byte"},
      {file_of("{" + a, 8), "the header is not valid JSON"},
      {file_of("{" + a + "} x", 8), "the header is not valid JSON"},
      {file_of("{\"\xff\":1}"), "the header is not valid JSON"},
      {file_of("{\"a\":" + nested), "nested more deeply"},
      {file_of("{" + a + "," + a + "}", 8), "the header has \"a\" twice"},
      {file_of(R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8), "has \"dtype\" twice"},
      {file_of(R"({"__metadata__":{"k":"1","k":"2"}})"), "has \"k\" twice"},
      {file_of(R"({"__metadata__":{"k":1}})"), "holds texts only, \"k\" is 1"},
      {file_of(R"({"__metadata__":[]})"), "__metadata__ must be an object, got []"},
      {file_of(R"({"a":7})"), "a: must be an object with dtype, shape and data_offsets, got 7"},
      {file_of(R"({"a":{"dtype":"F32","shape":[2]}})"), "must be an object with dtype, shape and data_offsets"},
      {file_of(R"({"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}})", 8), "must be F32, F64 or I32 to be read"},
      {file_of(R"({"a":{"dtype":"BF16","shape":[4],"data_offsets":[0,8]}})", 8), "got \"BF16\""},
      {file_of(R"({"a":{"dtype":4,"shape":[2],"data_offsets":[0,8]}})", 8), "got 4"},
      {file_of(R"({"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})", 8), "shape must be a list, got 2"},
      {file_of(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8), "whole numbers from 0, got -2"},
      {file_of(R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", 8), "whole numbers from 0, got 2.0"},
      {file_of(R"({"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}})", 8), "whole numbers from 0, got \"2\""},
      {file_of(R"({"a":{"dtype":"F32","shape":[null],"data_offsets":[0,8]}})", 8), "whole numbers from 0, got null"},
      {file_of(R"({"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,8]}})", 8), "not valid JSON"},
      {file_of(R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8]}})", 8), "too large"},
      {file_of(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,8]}})", 8),
       "more bytes than can be counted"},
      {file_of(R"({"a":{"dtype":"F32","shape":[4611686018427387904,2],"data_offsets":[0,8]}})", 8),
       "more bytes than can be counted"},
      {file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", 8), "must be [begin, end], got [0]"},
      {file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8), "must not run backwards, got [8,0]"},
      {file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4),
       "F32 [2] takes 8 bytes, data_offsets hold 4"},
      {file_of("{" + a + R"(,"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8), "(overlap)"},
      {file_of("{" + a + R"(,"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8), "(overlap)"},
      {file_of("{" + a + R"(,"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}})", 16), "(gap)"},
      {file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 12), "(gap)"},
      {file_of("{" + a + "}", 7), "the tensors take 8 bytes, 7 follow the header (cut)"},
      {file_of("{" + a + "}", 9), "the tensors take 8 bytes, 9 follow the header (something is behind them)"},
      {file_of("{}", 1), "the tensors take 0 bytes, 1 follow the header"},
  };
  for (const auto& one : cases) {
    const std::string message = refusal(folder, one.first);
    INFO("wanted: " << one.second);
    CHECK_THAT(message, ContainsSubstring("file: not a whole safetensors file: "));
    CHECK_THAT(message, ContainsSubstring(one.second));
    CHECK(message.size() < 500);
  }
}

TEST_CASE("A real file cut at any place is refused", "[safetensors]") {
  const TemporaryFolder folder;
  const std::string whole = read_file(kReference);
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    CHECK_FALSE(refusal(folder, whole.substr(0, size)).empty());
  }
}

TEST_CASE("A file that cannot be written leaves nothing behind and keeps what was there", "[safetensors]") {
  const TemporaryFolder folder;
  const Safetensors small = {{{"a", Tensor::zeros({1}, Dtype::f32)}}, {}};
  const Safetensors large = {{{"a", Tensor::zeros({100'000}, Dtype::f32)}}, {}};

  REQUIRE_THROWS_AS(write_safetensors(folder / "no" / "file", small), MachineError);
  REQUIRE_THROWS_WITH(write_safetensors(folder / "no" / "file", small), ContainsSubstring("No such file or directory"));
  REQUIRE_THROWS_WITH(read_safetensors(folder / "file"), ContainsSubstring("file: cannot be opened: No such file"));
  REQUIRE_THROWS_WITH(read_safetensors(folder.path()), ContainsSubstring("Is a directory"));

  write_safetensors(folder / "file", small);
  const std::string before = read_file(folder / "file");
  {
    const test::FullDisk full(4096);
    REQUIRE_THROWS_AS(write_safetensors(folder / "file", large), MachineError);
    REQUIRE_THROWS_WITH(write_safetensors(folder / "file", large),
                        ContainsSubstring("file: cannot be written: File too"));
  }
  CHECK(read_file(folder / "file") == before);
  CHECK(folder.names() == std::vector<std::string>{"file"});
}

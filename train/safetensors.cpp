// Reading checks everything the header claims before it believes any of it, in the order of the reference
// implementation.
#include "safetensors.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "files.h"

namespace normlab {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

constexpr std::uint64_t kLongestHeader = 100'000'000;
constexpr std::uint64_t kPrefix = 8;  // the bytes that hold the header's length
constexpr const char* kMetadata = "__metadata__";

constexpr std::pair<Dtype, const char*> kDtypes[] = {{Dtype::f32, "F32"}, {Dtype::f64, "F64"}, {Dtype::i32, "I32"}};

std::string file_name_of(Dtype dtype) {
  for (const auto& [known, name] : kDtypes) {
    if (known == dtype) return name;
  }
  return "?";
}

// One tensor as the header describes it.
struct Entry {
  std::string name;
  Dtype dtype;
  Shape shape;
  std::uint64_t begin;
  std::uint64_t end;
};

// The header as JSON; keys that occur twice are refused, since the parser would keep one of them without a word.
nlohmann::json parse_header(std::string_view header) {
  using nlohmann::json;
  check(!header.empty() && header.front() == '{', "the header must begin with {");
  check(header.find('\0') == header.npos, "the header must be text, it holds a zero byte");
  std::vector<std::set<std::string>> keys;  // of the objects that are open at this point of the text
  const auto watch_keys = [&](int depth, json::parse_event_t event, json& value) {
    check(depth <= 3, "the header is nested more deeply than the format knows");
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key) {
      const std::string key = value.get<std::string>();
      check(keys.back().insert(key).second, "the header has \"", key, "\" twice");
    }
    return true;
  };
  try {
    return json::parse(header, watch_keys);
  } catch (const json::exception& error) {
    throw Error(text("the header is not valid JSON (", error.what(), ")"));
  }
}

// A non-negative integer that an Index can hold.
std::uint64_t whole_number(const nlohmann::json& value, const std::string& name, const char* what) {
  check(value.is_number_unsigned(), name, ": ", what, " must be whole numbers from 0, got ", value.dump());
  const auto number = value.get<std::uint64_t>();
  check(number <= static_cast<std::uint64_t>(std::numeric_limits<Index>::max()), name, ": ", what, " is too large: ",
        number);
  return number;
}

Entry parse_entry(const std::string& name, const nlohmann::json& value) {
  check(value.is_object() && value.contains("dtype") && value.contains("shape") && value.contains("data_offsets"), name,
        ": must be an object with dtype, shape and data_offsets, got ", value.dump());

  Entry entry{name, Dtype::f32, {}, 0, 0};
  const auto dtype = std::find_if(std::begin(kDtypes), std::end(kDtypes),
                                  [&](const auto& known) { return value["dtype"] == known.second; });
  check(dtype != std::end(kDtypes), name, ": dtype must be F32, F64 or I32 to be read here, got ",
        value["dtype"].dump());
  entry.dtype = dtype->first;

  check(value["shape"].is_array(), name, ": shape must be a list, got ", value["shape"].dump());
  std::vector<Index> extents;
  std::uint64_t bytes = bytes_of(entry.dtype);
  for (const auto& extent : value["shape"]) {
    const std::uint64_t number = whole_number(extent, name, "shape");
    const auto most = static_cast<std::uint64_t>(std::numeric_limits<Index>::max());
    check(number == 0 || bytes <= most / number, name, ": a tensor of shape ", value["shape"].dump(),
          " has more bytes than can be counted");
    bytes *= number;
    extents.push_back(static_cast<Index>(number));
  }
  entry.shape = Shape(extents);

  const auto& offsets = value["data_offsets"];
  check(offsets.is_array() && offsets.size() == 2, name, ": data_offsets must be [begin, end], got ", offsets.dump());
  entry.begin = whole_number(offsets[0], name, "data_offsets");
  entry.end = whole_number(offsets[1], name, "data_offsets");
  check(entry.begin <= entry.end, name, ": data_offsets must not run backwards, got ", offsets.dump());
  check(entry.end - entry.begin == bytes, name, ": ", dtype->second, ' ', entry.shape, " takes ", bytes,
        " bytes, data_offsets hold ", entry.end - entry.begin);
  return entry;
}

// The tensors one after the other must fill the `size` bytes behind the header.
void check_layout(std::vector<Entry>& entries, std::uint64_t size) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t end = 0;
  for (const Entry& entry : entries) {
    check(entry.begin == end, entry.name, ": its bytes must begin where those before it end, at ", end,
          ", but begin at ", entry.begin, entry.begin < end ? " (overlap)" : " (gap)");
    end = entry.end;
  }
  check(end == size, "the tensors take ", end, " bytes, ", size, " follow the header",
        size < end ? " (cut)" : " (something is behind them)");
}

Safetensors parse(std::string_view bytes) {
  check(bytes.size() >= kPrefix, "at least 8 bytes are needed, it has ", bytes.size());
  std::uint64_t header_size = 0;
  std::memcpy(&header_size, bytes.data(), kPrefix);
  check(header_size <= kLongestHeader, "the header may have ", kLongestHeader, " bytes, this says ", header_size);
  check(header_size <= bytes.size() - kPrefix, "the header has ", header_size, " bytes, only ", bytes.size() - kPrefix,
        " follow (cut)");
  const nlohmann::json header = parse_header(bytes.substr(kPrefix, header_size));
  const std::string_view data = bytes.substr(kPrefix + header_size);

  Safetensors content;
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name != kMetadata) {
      entries.push_back(parse_entry(name, value));
      continue;
    }
    check(value.is_object(), kMetadata, " must be an object, got ", value.dump());
    for (const auto& [key, entry] : value.items()) {
      check(entry.is_string(), kMetadata, " holds texts only, \"", key, "\" is ", entry.dump());
      content.metadata[key] = entry.get<std::string>();
    }
  }
  check_layout(entries, data.size());
  for (const Entry& entry : entries) {
    Tensor tensor = Tensor::empty(entry.shape, entry.dtype);
    if (tensor.bytes() > 0) std::memcpy(tensor.raw(), data.data() + entry.begin, tensor.bytes());
    content.tensors.emplace(entry.name, tensor);
  }
  return content;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const Safetensors& content) {
  // The reference's order, so that the bytes are its bytes: wider types first, so that all are aligned, then by name.
  std::vector<std::pair<std::string, Tensor>> tensors(content.tensors.begin(), content.tensors.end());
  const auto rank = [](Dtype dtype) { return dtype == Dtype::f64 ? 0 : dtype == Dtype::f32 ? 1 : 2; };
  std::stable_sort(tensors.begin(), tensors.end(), [&](const auto& a, const auto& b) {
    return rank(a.second.dtype()) < rank(b.second.dtype());
  });

  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!content.metadata.empty()) header[kMetadata] = content.metadata;
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    check(tensor.defined(), path.string(), ": tensor ", name, " has no value to write");
    check(name != kMetadata, path.string(), ": a tensor cannot be named ", kMetadata);
    const std::uint64_t end = offset + tensor.bytes();
    header[name] = {{"dtype", file_name_of(tensor.dtype())},
                    {"shape", tensor.shape().extents()},
                    {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text_of_header;
  try {
    text_of_header = header.dump();
  } catch (const nlohmann::json::exception& error) {
    throw Error(text(path.string(), ": names and texts must be UTF-8 (", error.what(), ")"));
  }
  text_of_header.resize((text_of_header.size() + 7) / 8 * 8, ' ');
  const std::uint64_t header_size = text_of_header.size();
  check(header_size <= kLongestHeader, path.string(), ": the header may have ", kLongestHeader, " bytes, it has ",
        header_size);

  AtomicFile file(path);
  file.write(&header_size, kPrefix);
  file.write(text_of_header);
  for (const auto& [name, tensor] : tensors) file.write(tensor.raw(), tensor.bytes());
  file.commit();
}

Safetensors read_safetensors(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  try {
    return parse(bytes);
  } catch (const MachineError&) {
    throw;  // no memory: the file may be whole
  } catch (const Error& error) {
    throw Error(text(path.string(), ": not a whole safetensors file: ", error.what()));
  }
}

}  // namespace normlab

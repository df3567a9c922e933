#include "perennial/io/safetensors.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "edge/compile/json.h"
#include "perennial/base/bytes.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/io/file_kind.h"

namespace perennial {
namespace {

using nlohmann::json;

constexpr size_t kMaxHeader = 100'000'000;  // the limit of the reference implementation
constexpr size_t kMaxDimensions = 16, kMaxDepth = 4;

constexpr std::pair<const char*, at::ScalarType> kDtypes[] = {
    {"BOOL", at::kBool}, {"U8", at::kByte},   {"I8", at::kChar},  {"I16", at::kShort},
    {"I32", at::kInt},   {"I64", at::kLong},  {"F16", at::kHalf}, {"BF16", at::kBFloat16},
    {"F32", at::kFloat}, {"F64", at::kDouble}};

const char* dtype_name(at::ScalarType type) {
  for (const auto& [name, scalar] : kDtypes)
    if (scalar == type) return name;
  throw std::invalid_argument(fmt::format("safetensors cannot hold tensors of type {}", c10::toString(type)));
}

[[noreturn]] void refuse(const std::string& name, std::string expected, std::string found) {
  throw Error({"reading safetensors", name, std::move(expected), std::move(found)});
}

json parse_header(std::string_view text, const std::string& name) {
  try {
    json header = edge::read_json(text, kMaxDepth);
    if (!header.is_object()) refuse(name, "a JSON object as header", header.type_name());
    return header;
  } catch (const edge::BadJson& e) {
    refuse(name, e.expected == "JSON" ? "a JSON header" : e.expected, e.found);
  }
}

uint64_t whole_number(const json& value, const std::string& name, const std::string& what) {
  if (!value.is_number_unsigned()) refuse(name, what + " to be a whole number", value.dump().substr(0, 40));
  return value.get<uint64_t>();
}

struct Entry {
  std::string tensor;
  at::ScalarType type = at::kFloat;
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;
};

Entry parse_entry(const std::string& tensor, const json& j, uint64_t data_size, const std::string& name) {
  if (!j.is_object() || j.size() != 3 || !j.contains("dtype") || !j.contains("shape") ||
      !j.contains("data_offsets"))
    refuse(name, fmt::format("'{}' to have dtype, shape and data_offsets", tensor), j.dump().substr(0, 80));
  Entry e{tensor};
  const auto known = std::find_if(std::begin(kDtypes), std::end(kDtypes), [&](const auto& d) {
    return j["dtype"].is_string() && j["dtype"] == d.first;
  });
  if (known == std::end(kDtypes))
    refuse(name, fmt::format("a known dtype for '{}'", tensor), j["dtype"].dump().substr(0, 40));
  e.type = known->second;
  const json& shape = j["shape"];
  if (!shape.is_array() || shape.size() > kMaxDimensions)
    refuse(name, fmt::format("'{}' to have at most {} dimensions", tensor, kMaxDimensions),
           shape.dump().substr(0, 40));
  uint64_t bytes = c10::elementSize(e.type);
  for (const auto& side : shape) {
    const uint64_t n = whole_number(side, name, fmt::format("the shape of '{}'", tensor));
    if (n > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) ||
        __builtin_mul_overflow(bytes, n, &bytes))
      refuse(name, fmt::format("'{}' to fit the address space", tensor), shape.dump().substr(0, 80));
    e.shape.push_back(static_cast<int64_t>(n));
  }
  const json& offsets = j["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2)
    refuse(name, fmt::format("two data_offsets for '{}'", tensor), offsets.dump().substr(0, 40));
  e.begin = whole_number(offsets[0], name, "data_offsets");
  e.end = whole_number(offsets[1], name, "data_offsets");
  if (e.begin > e.end || e.end > data_size)
    refuse(name, fmt::format("'{}' to lie in the {} data bytes", tensor, data_size),
           offsets.dump() + (e.begin <= e.end ? ": the file is cut short (copy or download it again)" : ""));
  if (e.end - e.begin != bytes)
    refuse(name, fmt::format("{} bytes for '{}' of shape {}", bytes, tensor, shape.dump()),
           fmt::format("{}", e.end - e.begin));
  return e;
}

void require_no_gap(std::vector<Entry>& entries, uint64_t data_size, const std::string& name) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  uint64_t at = 0;
  for (const Entry& e : entries) {
    if (e.begin != at)
      refuse(name, fmt::format("'{}' to begin at data byte {}", e.tensor, at), fmt::format("{}", e.begin));
    at = e.end;
  }
  if (at != data_size) refuse(name, fmt::format("{} data bytes", at), fmt::format("{}", data_size));
}

}  // namespace

EncodedTensors lay_out_safetensors(const TensorFile& file) {
  // Written piece by piece: JSON's objects would sort the names, or look through all of them for each.
  const auto dumped = [](const json& j) { return j.dump(-1, ' ', false, json::error_handler_t::replace); };
  std::string text = "{";
  const auto add = [&](const std::string& key, const std::string& value) {
    text += (text.size() > 1 ? "," : "") + dumped(key) + ":" + value;
  };
  if (!file.metadata.empty()) add("__metadata__", dumped(file.metadata));
  EncodedTensors out;
  uint64_t at = 0;
  for (const auto& [name, tensor] : file.tensors) {
    if (name == "__metadata__") throw std::invalid_argument("a tensor cannot be named __metadata__");
    const uint64_t bytes = tensor.numel() * tensor.element_size();
    const nlohmann::ordered_json entry{{"dtype", dtype_name(tensor.scalar_type())},
                                       {"shape", tensor.sizes().vec()},
                                       {"data_offsets", {at, at + bytes}}};
    add(name, entry.dump());
    at += bytes;
    out.tensors.push_back(tensor.detach().cpu().contiguous());
  }
  text += '}';
  text.resize((text.size() + 7) / 8 * 8, ' ');
  append_le<uint64_t>(out.header, text.size());
  out.header += text;
  return out;
}

std::vector<std::string_view> EncodedTensors::pieces() const {
  std::vector<std::string_view> all{header};
  for (const at::Tensor& t : tensors)
    if (t.numel() > 0) all.emplace_back(static_cast<const char*>(t.const_data_ptr()), t.nbytes());
  return all;
}

std::string EncodedTensors::joined() const {
  const std::vector<std::string_view> all = pieces();
  size_t size = 0;
  for (const std::string_view piece : all) size += piece.size();
  std::string out;
  out.reserve(size);
  for (const std::string_view piece : all) out += piece;
  return out;
}

std::string encode_safetensors(const TensorFile& file) { return lay_out_safetensors(file).joined(); }

namespace {

/// An entry's tensor, from its bytes.
using MakeTensor = std::function<at::Tensor(const Entry&, std::string_view)>;

TensorFile decode(std::string_view bytes, const std::string& name, const MakeTensor& make) {
  if (const std::string kind = other_than_safetensors(bytes); !kind.empty())
    refuse(name, "a safetensors file", kind);
  if (bytes.size() < 8) refuse(name, "at least 8 bytes", fmt::format("{}", bytes.size()));
  const auto header_size = load_le<uint64_t>(bytes.data());
  if (header_size > kMaxHeader || header_size > bytes.size() - 8)
    refuse(name, fmt::format("a header of at most {} bytes", std::min(kMaxHeader, bytes.size() - 8)),
           fmt::format("{}, which is another format or a file cut short", header_size));
  const json header = parse_header(bytes.substr(8, header_size), name);
  const std::string_view data = bytes.substr(8 + header_size);

  TensorFile file;
  std::vector<Entry> entries;
  for (const auto& [key, value] : header.items()) {
    if (key != "__metadata__") {
      entries.push_back(parse_entry(key, value, data.size(), name));
      continue;
    }
    if (!value.is_object()) refuse(name, "__metadata__ to be an object", value.type_name());
    for (const auto& [k, v] : value.items()) {
      if (!v.is_string()) refuse(name, fmt::format("metadata '{}' to be text", k), v.type_name());
      file.metadata[k] = v.get<std::string>();
    }
  }
  require_no_gap(entries, data.size(), name);
  for (const Entry& e : entries)
    file.tensors.emplace(e.tensor, make(e, data.substr(e.begin, e.end - e.begin)));
  return file;
}

at::Tensor copied(const Entry& e, std::string_view bytes) {
  at::Tensor tensor = at::empty(e.shape, at::TensorOptions(e.type));
  if (!bytes.empty()) std::memcpy(tensor.mutable_data_ptr(), bytes.data(), bytes.size());
  return tensor;
}

}  // namespace

TensorFile decode_safetensors(std::string_view bytes, const std::string& name) {
  return decode(bytes, name, copied);
}

TensorFile map_safetensors(const std::filesystem::path& path) {
  const auto file = std::make_shared<const MappedFile>(path, MappedFile::Access::kOwnWrites);
  return decode(file->bytes(), path.string(), [&](const Entry& e, std::string_view bytes) {
    void* data = const_cast<char*>(bytes.data());
    // A file need not keep numbers where they can be read in place.
    if (bytes.empty() || reinterpret_cast<uintptr_t>(data) % c10::elementSize(e.type) != 0)
      return copied(e, bytes);
    return at::from_blob(data, e.shape, [file](void*) {}, at::TensorOptions(e.type));
  });
}

TensorFile read_safetensors(const std::filesystem::path& path) {
  return decode_safetensors(MappedFile(path).bytes(), path.string());
}

void write_safetensors(const std::filesystem::path& path, const TensorFile& file) {
  const EncodedTensors encoded = lay_out_safetensors(file);
  write_file_atomic(path, encoded.pieces());
}

}  // namespace perennial

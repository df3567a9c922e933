#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include <ATen/core/Tensor.h>

namespace perennial {

using TensorMap = std::map<std::string, at::Tensor>;

/// What a safetensors file holds: named tensors and a flat map of text.
struct TensorFile {
  TensorMap tensors;
  std::map<std::string, std::string> metadata;
};

/// Encodes as safetensors: 8-byte little-endian header length, JSON header padded to 8 bytes, raw row-major
/// data. Tensors are written contiguous, from the CPU, in name order. Dtypes: bool, uint8, int8, int16,
/// int32, int64, float16, bfloat16, float32, float64.
std::string encode_safetensors(const TensorFile& file);

/// Decodes and validates hostile input: header size and form, dtypes, shapes, offsets in bounds, no overlap,
/// no gap, no duplicate name, every byte accounted for. `name` is what errors call the source. Throws Error.
TensorFile decode_safetensors(std::string_view bytes, const std::string& name);

/// Reads a file; throws Error.
TensorFile read_safetensors(const std::filesystem::path& path);

/// Writes a file atomically; throws Error.
void write_safetensors(const std::filesystem::path& path, const TensorFile& file);

}  // namespace perennial

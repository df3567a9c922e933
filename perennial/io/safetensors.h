#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

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

/// The same without putting it together: the header, and the tensors as they are.
struct EncodedTensors {
  std::string header;
  std::vector<at::Tensor> tensors;  ///< contiguous, on the CPU

  /// One behind the other they are the file. Views of this object.
  std::vector<std::string_view> pieces() const;
  /// The same in one.
  std::string joined() const;
};
EncodedTensors lay_out_safetensors(const TensorFile& file);

/// Decodes and validates hostile input: header size and form, dtypes, shapes, offsets in bounds, no overlap,
/// no gap, no duplicate name, every byte accounted for. `name` is what errors call the source. Throws Error.
TensorFile decode_safetensors(std::string_view bytes, const std::string& name);

/// Reads a file; throws Error.
TensorFile read_safetensors(const std::filesystem::path& path);

/// The same, without reading the data: the tensors lie in the mapped file, whose pages all processes share,
/// for as long as one of them lives. What is written to them stays in this process. The file must be
/// replaced, if it ever is, and not be written to.
TensorFile map_safetensors(const std::filesystem::path& path);

/// Writes a file atomically; throws Error.
void write_safetensors(const std::filesystem::path& path, const TensorFile& file);

}  // namespace perennial

#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>

#include "edge/format.h"

namespace perennial::edge {

/// A model file that cannot be used: what was expected and what was found.
struct BadModel : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A checked .peb file: every offset, shape and size in it is in bounds, so that running it cannot leave the
/// arena.
class Model {
 public:
  /// Maps the file. Throws BadModel with the path, std::system_error when it cannot be read.
  static Model from_file(const std::string& path);
  /// Refers to `bytes`, which must stay as they are. Throws BadModel.
  static Model from_memory(std::span<const std::byte> bytes, const std::string& name = "memory");

  std::span<const TensorRecord> tensors() const { return tensors_; }
  std::span<const OpRecord> ops() const { return ops_; }
  std::span<const PortRecord> ports() const { return ports_; }
  /// float32 weights at a place in the file, or null for kNoWeight.
  const float* weight(uint64_t at) const {
    return at == kNoWeight ? nullptr : static_cast<const float*>(stored(at));
  }
  const void* stored(uint64_t at) const { return weights_ + at; }
  const char* name(uint64_t at) const { return names_ + at; }
  /// Floats that the tensors lie in.
  uint64_t arena() const { return header_->arena; }
  /// Of the file: two models alike have the same.
  uint64_t checksum() const { return header_->checksum; }
  /// Port number `index` among inputs (or outputs); throws std::out_of_range.
  const PortRecord& port(bool is_output, size_t index) const;

 private:
  Model() = default;
  void read(std::span<const std::byte> bytes, const std::string& name);
  std::shared_ptr<const void> mapping_;
  const Header* header_ = nullptr;
  std::span<const TensorRecord> tensors_;
  std::span<const OpRecord> ops_;
  std::span<const PortRecord> ports_;
  const char* names_ = nullptr;
  const std::byte* weights_ = nullptr;
};

}  // namespace perennial::edge

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

/// What a handle may hold in memory unless an application says otherwise: 1 GiB.
inline constexpr uint64_t kMostBytes = uint64_t{1} << 30;

/// A checked .peb file: every offset, shape and size in it is in bounds, so that running it cannot leave the
/// arena. What is checked is a copy: bytes that change afterwards change weights, and nothing else.
class Model {
 public:
  /// Where the weights lie afterwards. kRead: in memory of the model's own. kMap: in the file, of which the
  /// system keeps what is used; a file that is cut off while it is mapped ends the process.
  enum class Access { kRead, kMap };
  /// `most`: bytes(), which is taken only then. Throws BadModel with the path; std::system_error when it
  /// cannot be read.
  static Model from_file(const std::string& path, Access access = Access::kRead, uint64_t most = kMostBytes);
  /// Refers to `bytes`, which must stay. Throws BadModel.
  static Model from_memory(std::span<const std::byte> bytes, const std::string& name = "memory",
                           uint64_t most = kMostBytes);

  std::span<const TensorRecord> tensors() const { return tensors_; }
  std::span<const OpRecord> ops() const { return ops_; }
  std::span<const PortRecord> ports() const { return ports_; }
  /// float32 weights at a place in the file, or null for kNoWeight.
  const float* weight(uint64_t at) const {
    return at == kNoWeight ? nullptr : static_cast<const float*>(stored(at));
  }
  const void* stored(uint64_t at) const { return weights_ + at; }
  const char* name(uint64_t at) const { return names_ + at; }
  /// How many labels a port has: as many as channels, or none.
  size_t labels(const PortRecord& port) const {
    return (port.flags & kLabelled) != 0 ? tensors_[port.tensor].channels : 0;
  }
  /// Label `index` of a port; throws std::out_of_range.
  const char* label(const PortRecord& port, size_t index) const;
  /// Floats that the tensors lie in.
  uint64_t arena() const { return header_.arena; }
  /// Of the file: two models alike have the same.
  uint64_t checksum() const { return header_.checksum; }
  /// Bytes in memory of its own: the records, and the file where it was read.
  uint64_t bytes() const { return bytes_; }
  /// Port number `index` among inputs (or outputs); throws std::out_of_range.
  const PortRecord& port(bool is_output, size_t index) const;

 private:
  Model() = default;
  void read(std::span<const std::byte> bytes, const std::string& name, uint64_t most);
  std::shared_ptr<const void> file_;
  std::shared_ptr<const std::byte[]> records_;  ///< all that lies before the weights
  uint64_t bytes_ = 0;
  Header header_{};
  std::span<const TensorRecord> tensors_;
  std::span<const OpRecord> ops_;
  std::span<const PortRecord> ports_;
  const char* names_ = nullptr;
  const std::byte* weights_ = nullptr;
};

}  // namespace perennial::edge

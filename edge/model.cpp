#include "edge/model.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

#include "edge/check.h"
#include "edge/files.h"

namespace perennial::edge {
namespace {

constexpr uint64_t kMost = uint64_t{1} << 30;  // of any count; the arena may have 256 MB

uint64_t mix(uint64_t hash, const unsigned char* at, uint64_t bytes) {
  constexpr uint64_t kPrime = 1099511628211ULL;
  for (; bytes >= 8; bytes -= 8, at += 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    hash = (hash ^ word) * kPrime;
  }
  for (; bytes > 0; --bytes, ++at) hash = (hash ^ *at) * kPrime;
  return hash;
}

// Of a file in two parts, of which the first is whole words.
uint64_t seal(const std::byte* before, uint64_t size, std::span<const std::byte> weights) {
  const auto* at = reinterpret_cast<const unsigned char*>(before);
  uint64_t hash = mix(14695981039346656037ULL, at, offsetof(Header, checksum));
  hash = mix(hash, at + sizeof(Header), size - sizeof(Header));
  return mix(hash, reinterpret_cast<const unsigned char*>(weights.data()), weights.size());
}

[[noreturn]] void refuse_size(const std::string& name, uint64_t most) {
  throw BadModel(name + ": a model that needs more than " + std::to_string(most) + " bytes of memory");
}

// Refuses counts that no file of `size` bytes has.
void check_size(const Header& h, uint64_t size, const std::string& name) {
  const auto refuse = [&](const std::string& what) { throw BadModel(name + ": " + what); };
  if (std::memcmp(h.magic, kMagic, sizeof kMagic) != 0)
    refuse("expected a .peb model, found another kind of file");
  if (h.version < kPlainVersion || h.version > kFormatVersion)
    refuse("expected format version " + std::to_string(kPlainVersion) + " to " +
           std::to_string(kFormatVersion) + ", found " + std::to_string(h.version));
  if (h.tensors > kMost || h.ops > kMost || h.ports > kMost || h.name_bytes > kMost || h.weights > kMost ||
      h.arena > kMost / 16)
    refuse("a count in the header is beyond all measure");
  const uint64_t expected = weights_at(h) + h.weights;
  if (size != expected)
    refuse("expected " + std::to_string(expected) + " bytes, found " + std::to_string(size));
}

}  // namespace

uint64_t seal(const void* file, uint64_t bytes) {
  return seal(static_cast<const std::byte*>(file), bytes, {});
}

Model Model::from_file(const std::string& path, Access access, uint64_t most) {
  const HeldBytes file = access == Access::kMap ? map_file(path) : read_file(path, most);
  if (access == Access::kRead && file.bytes.size() > most) refuse_size(path, most);
  Model model;
  model.file_ = file.owner;
  if (access == Access::kRead) model.bytes_ = file.bytes.size();
  model.read(file.bytes, path, most);
  return model;
}

Model Model::from_memory(std::span<const std::byte> bytes, const std::string& name, uint64_t most) {
  Model model;
  model.read(bytes, name, most);
  return model;
}

// `bytes` may change at any time: each is read once, and what decides where to read is read from the copy.
void Model::read(std::span<const std::byte> bytes, const std::string& name, uint64_t most) {
  static_assert(std::endian::native == std::endian::little);
  const auto refuse = [&](const std::string& what) { throw BadModel(name + ": " + what); };
  if (bytes.size() < sizeof(Header))
    refuse("expected a .peb model, found a file of " + std::to_string(bytes.size()) + " bytes");
  if (reinterpret_cast<uintptr_t>(bytes.data()) % 8 != 0) refuse("the memory must be aligned to 8 bytes");
  std::memcpy(&header_, bytes.data(), sizeof header_);
  check_size(header_, bytes.size(), name);
  const uint64_t before = weights_at(header_);
  if (before > most - bytes_) refuse_size(name, most);
  const std::shared_ptr<std::byte[]> records(new std::byte[before]);
  std::memcpy(records.get(), &header_, sizeof header_);
  std::copy(bytes.begin() + sizeof header_, bytes.begin() + static_cast<std::ptrdiff_t>(before),
            records.get() + sizeof header_);
  records_ = records;
  bytes_ += before;
  weights_ = bytes.data() + before;
  if (seal(records_.get(), before, bytes.subspan(before)) != header_.checksum)
    refuse("the checksum does not fit: the file is damaged");
  const std::byte* at = records_.get() + sizeof header_;
  const auto next = [&at]<class T>(uint32_t count, std::span<const T>& out) {
    out = {reinterpret_cast<const T*>(at), count};
    at += count * sizeof(T);
  };
  next(header_.tensors, tensors_);
  next(header_.ops, ops_);
  next(header_.ports, ports_);
  names_ = reinterpret_cast<const char*>(at);
  if (header_.name_bytes == 0 || names_[header_.name_bytes - 1] != '\0') refuse("the names have no end");
  check(*this, header_, name);
}

const char* Model::label(const PortRecord& port, size_t index) const {
  if (index >= labels(port)) throw std::out_of_range("no such label");
  const char* at = name(port.name);
  for (size_t i = 0; i <= index; ++i) at += std::strlen(at) + 1;
  return at;
}

const PortRecord& Model::port(bool is_output, size_t index) const {
  for (const PortRecord& port : ports_)
    if ((port.is_output != 0) == is_output && index-- == 0) return port;
  throw std::out_of_range(is_output ? "no such output" : "no such input");
}

}  // namespace perennial::edge

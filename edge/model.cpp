#include "edge/model.h"

#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "edge/check.h"

namespace perennial::edge {
namespace {

constexpr uint64_t kMost = uint64_t{1} << 30;  // of any count; the arena may have 256 MB

struct Mapping {
  void* data = nullptr;
  size_t size = 0;
  ~Mapping() {
    if (data != nullptr) ::munmap(data, size);
  }
};

[[noreturn]] void fail(const std::string& path) {
  throw std::system_error(errno, std::generic_category(), path);
}

std::shared_ptr<Mapping> map(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail(path);
  struct stat status{};
  auto mapping = std::make_shared<Mapping>();
  if (::fstat(fd, &status) == 0 && status.st_size > 0) {
    void* data = ::mmap(nullptr, static_cast<size_t>(status.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
    if (data != MAP_FAILED) mapping->data = data, mapping->size = static_cast<size_t>(status.st_size);
  }
  ::close(fd);
  return mapping;
}

}  // namespace

namespace {

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

}  // namespace

uint64_t seal(const void* file, uint64_t bytes) {
  const auto* at = static_cast<const unsigned char*>(file);
  const uint64_t hash = mix(14695981039346656037ULL, at, offsetof(Header, checksum));
  return mix(hash, at + sizeof(Header), bytes - sizeof(Header));
}

Model Model::from_file(const std::string& path) {
  const auto mapping = map(path);
  Model model;
  model.mapping_ = mapping;
  model.read({static_cast<const std::byte*>(mapping->data), mapping->size}, path);
  return model;
}

Model Model::from_memory(std::span<const std::byte> bytes, const std::string& name) {
  Model model;
  model.read(bytes, name);
  return model;
}

void Model::read(std::span<const std::byte> bytes, const std::string& name) {
  static_assert(std::endian::native == std::endian::little);
  const auto refuse = [&](const std::string& what) { throw BadModel(name + ": " + what); };
  if (bytes.size() < sizeof(Header))
    refuse("expected a .peb model, found a file of " + std::to_string(bytes.size()) + " bytes");
  if (reinterpret_cast<uintptr_t>(bytes.data()) % 8 != 0) refuse("the memory must be aligned to 8 bytes");
  header_ = reinterpret_cast<const Header*>(bytes.data());
  if (std::memcmp(header_->magic, kMagic, sizeof kMagic) != 0)
    refuse("expected a .peb model, found another kind of file");
  if (header_->version != kFormatVersion && header_->version != kPlainVersion)
    refuse("expected format version " + std::to_string(kPlainVersion) + " or " +
           std::to_string(kFormatVersion) + ", found " + std::to_string(header_->version));
  const Header& h = *header_;
  if (h.tensors > kMost || h.ops > kMost || h.ports > kMost || h.name_bytes > kMost || h.weights > kMost ||
      h.arena > kMost / 16)
    refuse("a count in the header is beyond all measure");
  const uint64_t size = weights_at(h) + h.weights;
  if (size != bytes.size())
    refuse("expected " + std::to_string(size) + " bytes, found " + std::to_string(bytes.size()));
  const std::byte* at = bytes.data() + sizeof(Header);
  if (seal(bytes.data(), bytes.size()) != h.checksum)
    refuse("the checksum does not fit: the file is damaged");
  const auto next = [&at]<class T>(uint32_t count, std::span<const T>& out) {
    out = {reinterpret_cast<const T*>(at), count};
    at += count * sizeof(T);
  };
  next(h.tensors, tensors_);
  next(h.ops, ops_);
  next(h.ports, ports_);
  names_ = reinterpret_cast<const char*>(at);
  weights_ = bytes.data() + weights_at(h);
  if (h.name_bytes == 0 || names_[h.name_bytes - 1] != '\0') refuse("the names have no end");
  check(*this, h, name);
}

const PortRecord& Model::port(bool is_output, size_t index) const {
  for (const PortRecord& port : ports_)
    if ((port.is_output != 0) == is_output && index-- == 0) return port;
  throw std::out_of_range(is_output ? "no such output" : "no such input");
}

}  // namespace perennial::edge

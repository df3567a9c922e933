#include "perennial/io/image_codecs.h"

namespace perennial {
namespace {

/// Numbers at offsets of a TIFF block; anything outside reads as 0.
class Tiff {
 public:
  explicit Tiff(std::string_view bytes) : bytes_(bytes), little_(bytes.starts_with("II")) {}
  bool valid() const { return (little_ || bytes_.starts_with("MM")) && u16(2) == 42; }
  uint32_t u16(size_t at) const {
    return little_ ? byte(at) | byte(at + 1) << 8 : byte(at) << 8 | byte(at + 1);
  }
  uint32_t u32(size_t at) const {
    return little_ ? u16(at) | u16(at + 2) << 16 : u16(at) << 16 | u16(at + 2);
  }

 private:
  uint32_t byte(size_t at) const { return at < bytes_.size() ? static_cast<unsigned char>(bytes_[at]) : 0; }
  std::string_view bytes_;
  bool little_;
};

constexpr uint32_t kOrientationTag = 0x0112, kShort = 3;
constexpr size_t kEntryBytes = 12;

}  // namespace

int exif_orientation(std::string_view bytes) {
  const Tiff tiff(bytes);
  if (!tiff.valid()) return 1;
  const size_t directory = tiff.u32(4);
  const uint32_t entries = tiff.u16(directory);
  for (uint32_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + kEntryBytes * i;
    if (entry + kEntryBytes > bytes.size()) return 1;
    if (tiff.u16(entry) != kOrientationTag) continue;
    const uint32_t value = tiff.u16(entry + 8);
    return tiff.u16(entry + 2) == kShort && value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace perennial

#include <algorithm>
#include <zlib.h>

#include "perennial/io/image_codecs.h"

namespace perennial {
namespace {

constexpr std::string_view kExifMark("Exif\0\0", 6);
constexpr uint32_t kOrientationTag = 0x0112, kByte = 1, kShort = 3, kLong = 4;
constexpr size_t kEntryBytes = 12;
// Metadata that say how an image is turned are small; what unpacks to more is left alone.
constexpr size_t kLongestProfile = 1 << 20;

int valid(uint32_t orientation) {
  return orientation >= 1 && orientation <= 8 ? static_cast<int>(orientation) : 0;
}

std::string inflated(std::string_view packed) {
  std::string out(std::min(kLongestProfile, 1032 * packed.size() + 64), '\0');
  auto size = static_cast<uLongf>(out.size());
  const int status =
      uncompress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(packed.data()),
                 static_cast<uLong>(packed.size()));
  out.resize(status == Z_OK ? size : 0);
  return out;
}

/// The bytes of ImageMagick's form of a profile: its name, its length and hexadecimal digits, in lines.
std::string raw_profile(std::string_view text) {
  const auto line_end = [&](size_t at) { return std::min(text.find('\n', at), text.size()); };
  const size_t name = std::min(text.find_first_not_of('\n'), text.size());
  const size_t digits = line_end(std::min(line_end(name) + 1, text.size()));
  std::string bytes;
  int high = -1;
  for (const char c : text.substr(digits)) {
    const int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (value < 0) continue;
    if (high >= 0) bytes += static_cast<char>(16 * high + value);
    high = high < 0 ? value : -1;
  }
  return bytes;
}

/// The text of a tEXt, zTXt or iTXt chunk, whose keyword is taken off.
std::string text_of(std::string_view type, std::string_view rest) {
  if (type == "tEXt") return std::string(rest);
  if (type == "zTXt") return rest.empty() ? "" : inflated(rest.substr(1));
  const bool packed = rest.starts_with('\1');
  size_t at = 2;  // past the compression's flag and method: language, translated keyword
  for (int field = 0; field < 2; ++field)
    at = std::min(rest.find('\0', std::min(at, rest.size())), rest.size() - 1) + 1;
  return packed ? inflated(rest.substr(at)) : std::string(rest.substr(at));
}

struct Stated {
  int exif = 0, xmp = 0;
};

void read_text(std::string_view type, std::string_view content, Stated& stated) {
  const size_t end = content.find('\0');
  if (end == std::string_view::npos || end + 1 >= content.size()) return;
  const std::string_view key = content.substr(0, end), rest = content.substr(end + 1);
  const bool exif = key == "Raw profile type exif" || key == "Raw profile type APP1";
  if (!exif && key != "XML:com.adobe.xmp" && key != "Raw profile type xmp") return;
  const std::string text = text_of(type, rest);
  const std::string bytes = key.starts_with("Raw") ? raw_profile(text) : text;
  if (exif && stated.exif == 0) stated.exif = exif_orientation(bytes);
  if (stated.xmp == 0) stated.xmp = xmp_orientation(bytes);  // APP1 may be XMP too
}

}  // namespace

int exif_orientation(std::string_view bytes) {
  if (bytes.starts_with(kExifMark)) bytes.remove_prefix(kExifMark.size());
  const bool little = bytes.starts_with("II");
  const Numbers tiff(bytes, little);
  if ((!little && !bytes.starts_with("MM")) || tiff.u16(2) != 42) return 0;
  const size_t directory = tiff.u32(4);
  const uint32_t entries = tiff.u16(directory);
  for (uint32_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + kEntryBytes * i;
    if (entry + kEntryBytes > bytes.size()) return 0;
    if (tiff.u16(entry) != kOrientationTag) continue;
    switch (tiff.u16(entry + 2)) {
      case kByte: return valid(tiff.u8(entry + 8));
      case kShort: return valid(tiff.u16(entry + 8));
      case kLong: return valid(tiff.u32(entry + 8));
      default: return 0;
    }
  }
  return 0;
}

int xmp_orientation(std::string_view packet) {
  constexpr std::string_view kName = "tiff:Orientation";
  const size_t name = packet.find(kName);
  if (name == std::string_view::npos) return 0;
  // <tiff:Orientation>6</...> or tiff:Orientation="6"
  const size_t at = packet.find_first_not_of(" \t\r\n=>\"'", name + kName.size());
  if (at == std::string_view::npos || at + 1 >= packet.size()) return 0;
  const char next = packet[at + 1];
  return next >= '0' && next <= '9' ? 0 : valid(static_cast<uint32_t>(packet[at] - '0'));
}

int png_orientation(std::string_view png) {
  constexpr size_t kSignatureBytes = 8, kFrameBytes = 12;
  const Numbers numbers(png, false);
  Stated stated;
  for (size_t at = kSignatureBytes; at + kFrameBytes <= png.size();) {
    const size_t length = numbers.u32(at);
    if (length > png.size() - at - kFrameBytes) break;
    const std::string_view type = png.substr(at + 4, 4), content = png.substr(at + 8, length);
    if (type == "eXIf") stated.exif = exif_orientation(content);
    if (type == "tEXt" || type == "zTXt" || type == "iTXt") read_text(type, content, stated);
    at += kFrameBytes + length;
  }
  return stated.exif > 0 ? stated.exif : stated.xmp;
}

}  // namespace perennial

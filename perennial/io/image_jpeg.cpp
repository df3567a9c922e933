#include <algorithm>
#include <array>
#include <memory>
#include <turbojpeg.h>

#include "perennial/io/image_codecs.h"

namespace perennial {
namespace {

/// What the markers before the first scan say.
struct JpegHeader {
  ImageSize size;
  int components = 0;
  int orientation = 1;
  bool adobe = false;
  bool huffman = false;
  bool has_scan = false;
  size_t end = 0;  ///< offset of the first scan, or where the walk ended
};

uint32_t big16(std::string_view bytes, size_t at) {
  return static_cast<uint32_t>(static_cast<unsigned char>(bytes[at]) << 8 |
                               static_cast<unsigned char>(bytes[at + 1]));
}

bool is_frame(int marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

void read_segment(int marker, std::string_view content, JpegHeader& header) {
  constexpr std::string_view kExif("Exif\0\0", 6);
  if (is_frame(marker) && content.size() >= 6) {
    header.size = {big16(content, 1), big16(content, 3)};
    header.components = static_cast<unsigned char>(content[5]);
    header.huffman = marker <= 0xC2;
  } else if (marker == 0xE1 && content.starts_with(kExif)) {
    header.orientation = exif_orientation(content.substr(kExif.size()));
  } else if (marker == 0xEE && content.starts_with("Adobe")) {
    header.adobe = true;
  }
}

/// Walks the markers up to the first scan; stops early at the end of `bytes`.
JpegHeader walk_markers(std::string_view bytes) {
  JpegHeader header;
  size_t at = 2;
  for (;;) {
    at = std::min(bytes.find('\xFF', at), bytes.size());
    while (at < bytes.size() && bytes[at] == '\xFF') ++at;
    header.end = at;
    if (at >= bytes.size()) return header;
    const int marker = static_cast<unsigned char>(bytes[at++]);
    if (marker == 0 || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) continue;
    if (marker == 0xD9 || at + 2 > bytes.size()) return header;
    const size_t length = big16(bytes, at);
    if (marker == 0xDA) {
      header.has_scan = true;
      return header;
    }
    if (length < 2 || at + length > bytes.size()) return header;
    read_segment(marker, bytes.substr(at + 2, length - 2), header);
    at += length;
  }
}

struct CloseDecoder {
  void operator()(void* decoder) const { tjDestroy(decoder); }
};

/// Warnings about files that cameras and editors do write and that lose nothing.
bool harmless(const std::string& warning) {
  return warning.find("extraneous bytes before marker") != std::string::npos ||
         warning.find("Invalid SOS parameters") != std::string::npos;
}

void decode_pixels(std::string_view bytes, const std::string& name, ImageSize size, int format,
                   std::vector<uint8_t>& pixels) {
  const std::unique_ptr<void, CloseDecoder> decoder(tjInitDecompress());
  if (!decoder) bad_image(name, "a JPEG decoder", "no memory for one");
  const int width = static_cast<int>(size.width), height = static_cast<int>(size.height);
  pixels.resize(static_cast<size_t>(size.height * size.width * tjPixelSize[format]));
  const int status = tjDecompress2(decoder.get(), reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<unsigned long>(bytes.size()), pixels.data(), width,
                                   width * tjPixelSize[format], height, format, TJFLAG_LIMITSCANS);
  if (status == 0) return;
  const std::string reason = tjGetErrorStr2(decoder.get());
  if (tjGetErrorCode(decoder.get()) == TJERR_WARNING && harmless(reason)) return;
  bad_image(name, "a sound JPEG", reason);
}

/// Adobe programs store CMYK inverted and say so by their marker; ink is multiplied out to RGB, in place.
void cmyk_to_rgb(std::vector<uint8_t>& pixels, bool inverted) {
  const auto times = [](int a, int b) {
    const int product = a * b + 128;
    return static_cast<uint8_t>(((product >> 8) + product) >> 8);
  };
  const int flip = inverted ? 0 : 255;
  uint8_t* out = pixels.data();
  for (size_t i = 0; i + 4 <= pixels.size(); i += 4) {
    const std::array<int, 4> in{pixels[i] ^ flip, pixels[i + 1] ^ flip, pixels[i + 2] ^ flip,
                                pixels[i + 3] ^ flip};
    for (size_t c = 0; c < 3; ++c) *out++ = times(in[c], in[3]);
  }
}

/// The largest of 1, 2, 4, 8 by which the image may shrink and still have twice `cover` on its shorter side.
int reduction(ImageSize size, int64_t cover) {
  if (cover <= 0) return 1;
  int by = 8;
  while (by > 1 && std::min(size.height, size.width) < 2 * cover * by) by /= 2;
  return by;
}

// A block of 8 x 8 samples takes at least one bit under Huffman coding.
constexpr int64_t kMaxPixelsPerByte = 512;

void check_complete(std::string_view bytes, const std::string& name, const JpegHeader& header) {
  if (!header.has_scan)
    bad_image(name, "a JPEG scan", "the end of the header at offset " + std::to_string(header.end));
  // Entropy-coded data cannot contain FF D9, so its absence means that the end is missing.
  if (bytes.find("\xFF\xD9", header.end) == std::string_view::npos)
    bad_image(name, "the end-of-image marker FF D9",
              "the end of the data at offset " + std::to_string(bytes.size()));
  if (header.huffman &&
      header.size.height * header.size.width > kMaxPixelsPerByte * static_cast<int64_t>(bytes.size()))
    bad_image(name,
              "data for " + std::to_string(header.size.width) + " x " + std::to_string(header.size.height) +
                  " pixels",
              std::to_string(bytes.size()) + " bytes");
}

ImageSize peek_png(std::string_view head) {
  if (head.size() < 24 || head.substr(12, 4) != "IHDR") return {};
  const auto big32 = [&](size_t at) { return int64_t{big16(head, at)} << 16 | big16(head, at + 2); };
  return {big32(20), big32(16)};
}

}  // namespace

bool is_jpeg(std::string_view bytes) { return bytes.starts_with("\xFF\xD8\xFF"); }

ImageSize peek_image_size(std::string_view head) {
  if (is_jpeg(head)) return walk_markers(head).size;
  return is_png(head) ? peek_png(head) : ImageSize{};
}

Image decode_jpeg(std::string_view bytes, const std::string& name, int64_t max_pixels, int64_t cover) {
  const JpegHeader header = walk_markers(bytes);
  if (header.has_scan || header.size.height > 0)
    check_image_size(name, header.size.height, header.size.width, max_pixels);
  check_complete(bytes, name, header);
  const int by = reduction(header.size, cover);
  const ImageSize size{(header.size.height + by - 1) / by, (header.size.width + by - 1) / by};
  const bool ink = header.components == 4;
  std::vector<uint8_t> pixels;
  decode_pixels(bytes, name, size, ink ? TJPF_CMYK : TJPF_RGB, pixels);
  if (ink) cmyk_to_rgb(pixels, header.adobe);
  return upright_planar(pixels.data(), size.height, size.width, header.orientation);
}

}  // namespace perennial

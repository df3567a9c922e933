#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <jerror.h>
#include <jpeglib.h>
#include <map>

#include "perennial/io/image_codecs.h"

namespace perennial {
namespace {

/// What the markers before the first scan say.
struct JpegHeader {
  ImageSize size;
  int components = 0;
  int exif = 0, xmp = 0;  ///< orientations; 0 is none
  bool adobe = false;
  bool huffman = false;
  bool progressive = false;
  bool has_scan = false;
  size_t end = 0;  ///< offset of the first scan, or where the walk ended
};

bool is_frame(int marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

void read_segment(int marker, std::string_view content, JpegHeader& header) {
  constexpr std::string_view kExif("Exif\0\0", 6), kXmp("http://ns.adobe.com/xap/1.0/\0", 29);
  const Numbers numbers(content, false);
  if (is_frame(marker) && content.size() >= 6) {
    header.size = {numbers.u16(1), numbers.u16(3)};
    header.components = static_cast<int>(numbers.u8(5));
    header.huffman = marker <= 0xC2;
    header.progressive = marker == 0xC2;
  } else if (marker == 0xE1 && content.starts_with(kExif)) {
    if (header.exif == 0) header.exif = exif_orientation(content);
  } else if (marker == 0xE1 && content.starts_with(kXmp)) {
    if (header.xmp == 0) header.xmp = xmp_orientation(content.substr(kXmp.size()));
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
    const size_t length = Numbers(bytes, false).u16(at);
    if (marker == 0xDA) {
      header.has_scan = true;
      return header;
    }
    if (length < 2 || at + length > bytes.size()) return header;
    read_segment(marker, bytes.substr(at + 2, length - 2), header);
    at += length;
  }
}

/// Whether the scans bring every bit of every coefficient of every component: what tells a whole image of
/// several scans from one that was cut between two.
bool scans_complete(std::string_view bytes, const JpegHeader& header) {
  constexpr int kUnseen = -1;
  std::map<uint32_t, std::array<int, 64>> precision;  // by component: the lowest bit that came
  const Numbers numbers(bytes, false);
  for (size_t at = header.end - 1; at != std::string_view::npos; at = bytes.find("\xFF\xDA", at + 2)) {
    const uint32_t count = numbers.u8(at + 4), parameters = 5 + 2 * count;
    const uint32_t first = header.progressive ? numbers.u8(at + parameters) : 0;
    const uint32_t last = header.progressive ? numbers.u8(at + parameters + 1) : 63;
    const int bit = header.progressive ? static_cast<int>(numbers.u8(at + parameters + 2) & 15) : 0;
    if (count > 4 || last > 63) return false;
    for (uint32_t i = 0; i < count; ++i) {
      const auto [component, fresh] = precision.try_emplace(numbers.u8(at + 5 + 2 * i));
      if (fresh) component->second.fill(kUnseen);
      for (uint32_t k = first; k <= last; ++k) component->second[k] = bit;
    }
  }
  return static_cast<int>(precision.size()) == header.components &&
         std::all_of(precision.begin(), precision.end(), [](const auto& component) {
           return std::all_of(component.second.begin(), component.second.end(),
                              [](int bit) { return bit == 0; });
         });
}

/// libjpeg over bytes in memory. It reports errors by longjmp: `guarded` is the only place they land, and
/// what runs inside has no destructors to skip.
class JpegReader {
 public:
  JpegReader(std::string_view bytes, const std::string& name) : name_(name) {
    jpeg_.err = jpeg_std_error(&errors_);
    errors_.error_exit = [](j_common_ptr jpeg) { self(jpeg).leave(); };
    errors_.emit_message = [](j_common_ptr jpeg, int level) {
      if (level < 0) self(jpeg).warn();
    };
    jpeg_.client_data = this;
    guarded([this, bytes] {
      jpeg_create_decompress(&jpeg_);
      jpeg_mem_src(&jpeg_, reinterpret_cast<const unsigned char*>(bytes.data()),
                   static_cast<unsigned long>(bytes.size()));
    });
    monitor_.progress_monitor = [](j_common_ptr jpeg) { self(jpeg).limit_scans(); };
    jpeg_.progress = &monitor_;
  }
  ~JpegReader() { jpeg_destroy_decompress(&jpeg_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  template <class Body>
  void guarded(const Body& body) {
    if (setjmp(back_) == 0)
      body();
    else
      bad_image(name_, "a sound JPEG", message_.data());
  }

  jpeg_decompress_struct& jpeg() { return jpeg_; }
  bool ended() const { return ended_; }  ///< the data ended before the end-of-image marker

  /// Throws if a warning was about lost data.
  void check_sound() const {
    if (damaged_) bad_image(name_, "a sound JPEG", message_.data());
  }

 private:
  static JpegReader& self(j_common_ptr jpeg) { return *static_cast<JpegReader*>(jpeg->client_data); }

  [[noreturn]] void leave() {
    errors_.format_message(reinterpret_cast<j_common_ptr>(&jpeg_), message_.data());
    std::longjmp(back_, 1);
  }

  void warn() {
    switch (errors_.msg_code) {
      case JWRN_EXTRANEOUS_DATA:  // cameras and editors write these, and nothing is lost
      case JWRN_NOT_SEQUENTIAL:
      case JWRN_ADOBE_XFORM: return;
      case JWRN_JPEG_EOF: ended_ = true; return;
      default:
        if (!damaged_) errors_.format_message(reinterpret_cast<j_common_ptr>(&jpeg_), message_.data());
        damaged_ = true;
    }
  }

  void limit_scans() {
    constexpr int kMostScans = 500;
    if (jpeg_.input_scan_number <= kMostScans) return;
    std::snprintf(message_.data(), message_.size(), "more than %d scans", kMostScans);
    std::longjmp(back_, 1);
  }

  const std::string& name_;
  jpeg_decompress_struct jpeg_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr monitor_{};
  std::jmp_buf back_{};
  bool damaged_ = false, ended_ = false;
  std::array<char, JMSG_LENGTH_MAX> message_{};
};

std::vector<uint8_t> decode_pixels(std::string_view bytes, const std::string& name, const JpegHeader& header,
                                   int by) {
  JpegReader reader(bytes, name);
  jpeg_decompress_struct& jpeg = reader.jpeg();
  reader.guarded([&jpeg, &header, by] {
    jpeg_read_header(&jpeg, TRUE);
    jpeg.scale_num = 1;
    jpeg.scale_denom = static_cast<unsigned>(by);
    jpeg.out_color_space = header.components == 4 ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&jpeg);
  });
  const int64_t height = (header.size.height + by - 1) / by, width = (header.size.width + by - 1) / by;
  if (jpeg.output_height != height || jpeg.output_width != width)
    bad_image(name, "one frame", "frames of two sizes");
  const auto row = static_cast<size_t>(width * jpeg.output_components);
  std::vector<uint8_t> pixels(row * static_cast<size_t>(height));
  reader.guarded([&jpeg, out = pixels.data(), row] {
    while (jpeg.output_scanline < jpeg.output_height) {
      JSAMPROW next = out + jpeg.output_scanline * row;
      jpeg_read_scanlines(&jpeg, &next, 1);
    }
  });
  reader.check_sound();
  if (reader.ended() && jpeg_has_multiple_scans(&jpeg) && !scans_complete(bytes, header))
    bad_image(name, "all scans of the image",
              "the end of the data at offset " + std::to_string(bytes.size()));
  return pixels;
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

void check_data(std::string_view bytes, const std::string& name, const JpegHeader& header) {
  if (!header.has_scan)
    bad_image(name, "a JPEG scan", "the end of the header at offset " + std::to_string(header.end));
  // An arithmetic decoder does not notice that its data end.
  if (!header.huffman && bytes.find("\xFF\xD9", header.end) == std::string_view::npos)
    bad_image(name, "the end-of-image marker FF D9",
              "the end of the data at offset " + std::to_string(bytes.size()));
  if (header.huffman &&
      header.size.height * header.size.width > kMaxPixelsPerByte * static_cast<int64_t>(bytes.size()))
    bad_image(name,
              "data for " + std::to_string(header.size.width) + " x " + std::to_string(header.size.height) +
                  " pixels",
              std::to_string(bytes.size()) + " bytes");
}

bool is_jpeg(std::string_view bytes) { return bytes.starts_with("\xFF\xD8\xFF"); }

ImageSize peek_jpeg(std::string_view bytes) { return walk_markers(bytes).size; }

Image decode_jpeg(std::string_view bytes, const std::string& name, int64_t max_pixels, int64_t cover) {
  const JpegHeader header = walk_markers(bytes);
  if (header.has_scan || header.size.height > 0)
    check_image_size(name, header.size.height, header.size.width, max_pixels);
  check_data(bytes, name, header);
  const int by = reduction(header.size, cover);
  std::vector<uint8_t> pixels = decode_pixels(bytes, name, header, by);
  if (header.components == 4) cmyk_to_rgb(pixels, header.adobe);
  return upright_planar(pixels.data(), (header.size.height + by - 1) / by, (header.size.width + by - 1) / by,
                        header.exif > 0 ? header.exif : header.xmp);
}

}  // namespace

const ImageCodec kJpegCodec{is_jpeg, peek_jpeg, decode_jpeg};

}  // namespace perennial

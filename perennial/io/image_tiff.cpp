#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>
#include <tiffio.h>

#include "perennial/io/image_codecs.h"

namespace perennial {
namespace {

bool is_tiff(std::string_view bytes) {
  return bytes.starts_with("II*") || bytes.starts_with("II+") ||
         bytes.starts_with(std::string_view("MM\0*", 4)) || bytes.starts_with(std::string_view("MM\0+", 4));
}

/// Bytes in memory as libtiff reads a file; it keeps the first error.
class TiffReader {
 public:
  TiffReader(std::string_view bytes, int64_t most_memory) : bytes_(bytes) {
    const std::unique_ptr<TIFFOpenOptions, void (*)(TIFFOpenOptions*)> options(TIFFOpenOptionsAlloc(),
                                                                               TIFFOpenOptionsFree);
    if (!options) return;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), static_cast<tmsize_t>(most_memory));
    TIFFOpenOptionsSetErrorHandlerExtR(options.get(), on_error, this);
    TIFFOpenOptionsSetWarningHandlerExtR(options.get(), on_warning, this);
    tiff_ = TIFFClientOpenExt(
        "", "rm", this, read, [](thandle_t, void*, tmsize_t) -> tmsize_t { return 0; }, seek,
        [](thandle_t) { return 0; }, size, [](thandle_t, void**, toff_t*) { return 0; },
        [](thandle_t, void*, toff_t) {}, options.get());
  }
  ~TiffReader() {
    if (tiff_ != nullptr) TIFFClose(tiff_);
  }
  TiffReader(const TiffReader&) = delete;
  TiffReader& operator=(const TiffReader&) = delete;

  TIFF* get() const { return tiff_; }
  bool failed() const { return tiff_ == nullptr || message_[0] != '\0'; }
  std::string reason() const { return message_[0] == '\0' ? "damaged data" : message_.data(); }

  uint32_t number(uint32_t tag) const {
    uint32_t value = 0;
    return TIFFGetField(tiff_, tag, &value) == 1 ? value : 0;
  }
  uint16_t short_number(uint32_t tag) const {
    uint16_t value = 0;
    return TIFFGetFieldDefaulted(tiff_, tag, &value) == 1 ? value : 0;
  }

 private:
  static TiffReader& self(thandle_t handle) { return *static_cast<TiffReader*>(handle); }

  static int on_error(TIFF*, void* user, const char*, const char* format, va_list arguments) {
    auto& reader = *static_cast<TiffReader*>(user);
    if (reader.message_[0] == '\0')
      std::vsnprintf(reader.message_.data(), reader.message_.size(), format, arguments);
    return 1;
  }
  // A tag whose value lies beyond the end of the data is left out with a warning, be it the palette.
  static int on_warning(TIFF* tiff, void* user, const char* module, const char* format, va_list arguments) {
    return std::strstr(format, "IO error") == nullptr ? 1 : on_error(tiff, user, module, format, arguments);
  }
  static tmsize_t read(thandle_t handle, void* out, tmsize_t count) {
    TiffReader& reader = self(handle);
    if (reader.offset_ >= reader.bytes_.size() || count <= 0) return 0;
    const size_t n = std::min(static_cast<size_t>(count), reader.bytes_.size() - reader.offset_);
    std::memcpy(out, reader.bytes_.data() + reader.offset_, n);
    reader.offset_ += n;
    return static_cast<tmsize_t>(n);
  }
  static toff_t seek(thandle_t handle, toff_t offset, int whence) {
    TiffReader& reader = self(handle);
    const toff_t base = whence == SEEK_CUR ? reader.offset_ : whence == SEEK_END ? reader.bytes_.size() : 0;
    return reader.offset_ = base + offset;
  }
  static toff_t size(thandle_t handle) { return self(handle).bytes_.size(); }

  std::string_view bytes_;
  size_t offset_ = 0;
  std::array<char, 200> message_{};
  TIFF* tiff_ = nullptr;
};

constexpr int64_t kHeaderMemory = 1 << 24;

ImageSize peek_tiff(std::string_view bytes) {
  const TiffReader reader(bytes, kHeaderMemory);
  if (reader.get() == nullptr) return {};
  return {reader.number(TIFFTAG_IMAGELENGTH), reader.number(TIFFTAG_IMAGEWIDTH)};
}

/// libtiff gives colours multiplied by alpha, but grey as it is stored.
bool is_premultiplied(const TiffReader& reader) {
  const uint16_t form = reader.short_number(TIFFTAG_PHOTOMETRIC);
  uint16_t count = 0;
  uint16_t* extra = nullptr;
  TIFFGetFieldDefaulted(reader.get(), TIFFTAG_EXTRASAMPLES, &count, &extra);
  const bool grey = form == PHOTOMETRIC_MINISBLACK || form == PHOTOMETRIC_MINISWHITE;
  return !(grey && count > 0 && extra[0] == EXTRASAMPLE_UNASSALPHA);
}

/// RGBA words as stored, top row first.
std::vector<uint8_t> read_rgba(TiffReader& reader, const std::string& name, ImageSize size) {
  std::array<char, 1024> reason{};
  TIFFRGBAImage image;
  if (reader.short_number(TIFFTAG_COMPRESSION) == COMPRESSION_OJPEG)
    bad_image(name, "a TIFF of today's compressions", "old-style JPEG");
  if (TIFFRGBAImageOK(reader.get(), reason.data()) == 0 ||
      TIFFRGBAImageBegin(&image, reader.get(), 1, reason.data()) == 0)
    bad_image(name, "a TIFF of 1 to 16 bits a sample, grey or colour", reason.data());
  image.req_orientation = image.orientation;  // turned later, as every other image
  std::vector<uint8_t> pixels(static_cast<size_t>(4 * size.height * size.width));
  const int got = TIFFRGBAImageGet(&image, reinterpret_cast<uint32_t*>(pixels.data()),
                                   static_cast<uint32_t>(size.width), static_cast<uint32_t>(size.height));
  TIFFRGBAImageEnd(&image);
  if (got == 0) bad_image(name, "a sound TIFF", reader.reason());
  return pixels;
}

Image decode_tiff(std::string_view bytes, const std::string& name, int64_t max_pixels, int64_t /*cover*/) {
  constexpr int64_t kMostBytesPerPixel = 16;
  TiffReader reader(bytes, std::max(kHeaderMemory, kMostBytesPerPixel * max_pixels));
  if (reader.failed()) bad_image(name, "a sound TIFF", reader.reason());
  if (const uint16_t form = reader.short_number(TIFFTAG_PHOTOMETRIC); form >= PHOTOMETRIC_CIELAB)
    bad_image(name, "a TIFF of grey, palette, RGB, CMYK or YCbCr colours",
              "photometric form " + std::to_string(form));
  const ImageSize size{reader.number(TIFFTAG_IMAGELENGTH), reader.number(TIFFTAG_IMAGEWIDTH)};
  check_image_size(name, size.height, size.width, max_pixels);
  std::vector<uint8_t> pixels = read_rgba(reader, name, size);
  over_white(pixels, is_premultiplied(reader));
  return upright_planar(pixels.data(), size.height, size.width, reader.short_number(TIFFTAG_ORIENTATION));
}

}  // namespace

const ImageCodec kTiffCodec{is_tiff, peek_tiff, decode_tiff};

}  // namespace perennial

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <png.h>
#include <stdexcept>

#include "perennial/io/image_codecs.h"

namespace perennial {
namespace {

constexpr std::string_view kSignature("\x89PNG\r\n\x1a\n", 8);
// Deflate expands by at most 1032.
constexpr int64_t kMaxExpansion = 1032;

/// libpng's reader over bytes in memory. libpng reports errors by longjmp: `guarded` is the only place it
/// lands, and what runs inside has no destructors to skip.
class PngReader {
 public:
  PngReader(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, [](png_structp, png_const_charp) {});
    info_ = png_ != nullptr ? png_create_info_struct(png_) : nullptr;
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      bad_image(name, "a PNG decoder", "no memory for one");
    }
    png_set_read_fn(png_, this, on_read);
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  template <class Body>
  void guarded(const Body& body) {
    if (setjmp(png_jmpbuf(png_)) == 0)
      body();
    else
      fail();
  }

  png_structp png() const { return png_; }
  png_infop info() const { return info_; }
  size_t left() const { return bytes_.size() - offset_; }

 private:
  [[noreturn]] void fail() const {
    bad_image(name_, "a sound PNG", std::string(message_.data()) + " at offset " + std::to_string(offset_));
  }

  [[noreturn]] static void on_error(png_structp png, png_const_charp text) {
    auto* self = static_cast<PngReader*>(png_get_error_ptr(png));
    std::strncpy(self->message_.data(), text, self->message_.size() - 1);
    png_longjmp(png, 1);
  }

  static void on_read(png_structp png, png_bytep out, size_t count) {
    auto* self = static_cast<PngReader*>(png_get_io_ptr(png));
    if (count > self->left()) {
      self->offset_ = self->bytes_.size();
      png_error(png, "the end of the data");
    }
    std::memcpy(out, self->bytes_.data() + self->offset_, count);
    self->offset_ += count;
  }

  std::string_view bytes_;
  const std::string& name_;
  size_t offset_ = 0;
  std::array<char, 160> message_{};
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

/// Every checksum counts, and chunks that do not change pixels are not even read.
void be_strict(png_structp png) {
  constexpr png_byte kUnused[] = "iCCP\0eXIf\0tEXt\0zTXt\0iTXt\0sPLT\0hIST\0pCAL\0tIME\0";
  png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, kUnused, (sizeof kUnused - 1) / 5);
}

/// Asks for 8-bit RGB, or RGBA where there is any transparency.
void to_eight_bit_rgb(png_structp png, png_infop info) {
  png_set_expand(png);
  png_set_scale_16(png);
  png_set_gray_to_rgb(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
}

ImageSize peek_png(std::string_view head) {
  if (head.size() < 24 || head.substr(12, 4) != "IHDR") return {};
  const Numbers numbers(head, false);
  return {numbers.u32(20), numbers.u32(16)};
}

Image decode_png(std::string_view bytes, const std::string& name, int64_t max_pixels, int64_t /*cover*/) {
  // Before libpng, which has limits of its own.
  if (const ImageSize size = peek_png(bytes); size.height > 0)
    check_image_size(name, size.height, size.width, max_pixels);
  PngReader reader(bytes, name);
  png_structp png = reader.png();
  png_infop info = reader.info();
  reader.guarded([=] {
    be_strict(png);
    png_read_info(png, info);
  });
  const int64_t height = png_get_image_height(png, info), width = png_get_image_width(png, info);
  check_image_size(name, height, width, max_pixels);
  const auto stored = static_cast<int64_t>(png_get_rowbytes(png, info)) * height;
  if (stored > kMaxExpansion * static_cast<int64_t>(bytes.size()))
    bad_image(name, "compressed data for " + std::to_string(stored) + " bytes",
              std::to_string(bytes.size()) + " bytes");
  reader.guarded([=] { to_eight_bit_rgb(png, info); });

  const size_t row_bytes = png_get_rowbytes(png, info);
  std::vector<uint8_t> pixels(row_bytes * static_cast<size_t>(height));
  std::vector<png_bytep> rows(static_cast<size_t>(height));
  for (size_t y = 0; y < rows.size(); ++y) rows[y] = pixels.data() + y * row_bytes;
  reader.guarded([png, info, &rows] {
    png_read_image(png, rows.data());
    png_read_end(png, info);
  });
  if (png_get_channels(png, info) == 4) over_white(pixels);
  return upright_planar(pixels.data(), height, width, png_orientation(bytes));
}

}  // namespace

bool is_png(std::string_view bytes) { return bytes.starts_with(kSignature); }

const ImageCodec kPngCodec{is_png, peek_png, decode_png};

}  // namespace perennial

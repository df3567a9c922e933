#include "perennial/io/image_write.h"

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>

// After <cstdio>, which it needs and does not include.
#include <jpeglib.h>
#include <png.h>
#include <webp/encode.h>

#include "perennial/base/files.h"
#include "perennial/base/outputs.h"

namespace perennial {
namespace {

constexpr int kQuality = 95;
constexpr int64_t kMostJpegSide = 65500;

// Row by row, the channels of a pixel beside each other.
std::vector<uint8_t> interleaved(const Image& image, const std::string& doing, bool alpha) {
  if ((image.channels != 1 && image.channels != 3 && !(alpha && image.channels == 4)) || image.height < 1 ||
      image.width < 1 ||
      static_cast<int64_t>(image.pixels.size()) != image.channels * image.height * image.width)
    throw std::invalid_argument(doing + (alpha ? ": expected 1, 3 or 4" : ": expected 1 or 3") +
                                " planes of at least 1 x 1 pixels");
  const auto plane = static_cast<size_t>(image.height * image.width),
             channels = static_cast<size_t>(image.channels);
  std::vector<uint8_t> pixels(image.pixels.size());
  for (size_t c = 0; c < channels; ++c)
    for (size_t i = 0; i < plane; ++i) pixels[i * channels + c] = image.pixels[c * plane + i];
  return pixels;
}

// libjpeg reports an error by a call that must not return.
struct JpegErrors : jpeg_error_mgr {
  std::jmp_buf place;
  char text[JMSG_LENGTH_MAX];
};

void leave(j_common_ptr jpeg) {
  auto* errors = static_cast<JpegErrors*>(jpeg->err);
  errors->format_message(jpeg, errors->text);
  std::longjmp(errors->place, 1);
}

class JpegWriter {
 public:
  JpegWriter() {
    jpeg_.err = jpeg_std_error(&errors_);
    errors_.error_exit = leave;
    jpeg_create_compress(&jpeg_);
  }
  ~JpegWriter() {
    jpeg_destroy_compress(&jpeg_);
    std::free(bytes_);
  }
  JpegWriter(const JpegWriter&) = delete;
  JpegWriter& operator=(const JpegWriter&) = delete;

  std::string encode(uint8_t* pixels, const Image& image) {
    if (setjmp(errors_.place) != 0) throw std::invalid_argument(std::string("encode_jpeg: ") + errors_.text);
    jpeg_mem_dest(&jpeg_, &bytes_, &size_);
    jpeg_.image_width = static_cast<JDIMENSION>(image.width);
    jpeg_.image_height = static_cast<JDIMENSION>(image.height);
    jpeg_.input_components = static_cast<int>(image.channels);
    jpeg_.in_color_space = image.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&jpeg_);
    jpeg_set_quality(&jpeg_, kQuality, TRUE);
    jpeg_.comp_info[0].h_samp_factor = jpeg_.comp_info[0].v_samp_factor = 1;  // colour as fine as light
    jpeg_start_compress(&jpeg_, TRUE);
    while (jpeg_.next_scanline < jpeg_.image_height) {
      JSAMPROW row = pixels + static_cast<int64_t>(jpeg_.next_scanline) * image.width * image.channels;
      jpeg_write_scanlines(&jpeg_, &row, 1);
    }
    jpeg_finish_compress(&jpeg_);
    return {reinterpret_cast<const char*>(bytes_), size_};
  }

 private:
  jpeg_compress_struct jpeg_{};
  JpegErrors errors_{};
  unsigned char* bytes_ = nullptr;
  unsigned long size_ = 0;
};

struct Format {
  std::vector<std::string> endings;
  std::string (*encode)(const Image& image);
  bool alpha;
};

const std::vector<Format>& formats() {
  static const std::vector<Format> all{{{".png"}, encode_png, true},
                                       {{".jpg", ".jpeg", ".jpe", ".jfif"}, encode_jpeg, false},
                                       {{".webp"}, encode_webp, true}};
  return all;
}

}  // namespace

std::string encode_png(const Image& image) {
  const std::vector<uint8_t> pixels = interleaved(image, "encode_png", true);
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  png.format = image.channels == 1 ? PNG_FORMAT_GRAY : image.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_RGBA;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
  std::string out(size, '\0');
  if (png_image_write_to_memory(&png, out.data(), &size, 0, pixels.data(), 0, nullptr) == 0)
    throw std::invalid_argument(std::string("encode_png: ") + png.message);
  out.resize(size);
  return out;
}

std::string encode_jpeg(const Image& image) {
  std::vector<uint8_t> pixels = interleaved(image, "encode_jpeg", false);
  if (image.height > kMostJpegSide || image.width > kMostJpegSide)
    throw std::invalid_argument("a JPEG has at most 65500 pixels a side; write a PNG");
  JpegWriter writer;
  return writer.encode(pixels.data(), image);
}

std::string encode_webp(const Image& image) {
  const bool alpha = image.channels == 4;
  const std::vector<uint8_t> pixels =
      interleaved(image.channels == 1 ? with_channels(image, 3) : image, "encode_webp", true);
  if (image.height > WEBP_MAX_DIMENSION || image.width > WEBP_MAX_DIMENSION)
    throw std::invalid_argument("a WebP has at most 16383 pixels a side; write a PNG");
  uint8_t* bytes = nullptr;
  const auto encode = alpha ? WebPEncodeRGBA : WebPEncodeRGB;
  const auto width = static_cast<int>(image.width), height = static_cast<int>(image.height);
  const size_t size = encode(pixels.data(), width, height, (alpha ? 4 : 3) * width, kQuality, &bytes);
  const std::unique_ptr<uint8_t, void (*)(void*)> owned(bytes, WebPFree);
  if (size == 0) throw std::invalid_argument("encode_webp: no memory");
  return {reinterpret_cast<const char*>(bytes), size};
}

std::vector<std::string> written_images(bool transparent) {
  std::vector<std::string> endings;
  for (const Format& format : formats())
    if (!transparent || format.alpha)
      endings.insert(endings.end(), format.endings.begin(), format.endings.end());
  return endings;
}

void write_image(const std::filesystem::path& file, const Image& image) {
  require_ending("writing an image", file, written_images(image.channels == 4));
  const std::string ending = ending_of(file);
  for (const Format& format : formats())
    for (const std::string& own : format.endings)
      if (own == ending) return write_file_atomic(file, format.encode(image));
  write_file_atomic(file, encode_png(image));
}

}  // namespace perennial

#include "image_fixtures.h"

#include <array>
#include <png.h>
#include <stdexcept>
#include <turbojpeg.h>

namespace perennial::testing {
namespace {

std::vector<uint8_t> interleave(const Image& image) {
  const auto plane = static_cast<size_t>(image.height * image.width),
             channels = static_cast<size_t>(image.channels);
  std::vector<uint8_t> out(image.pixels.size());
  for (size_t i = 0; i < plane; ++i)
    for (size_t c = 0; c < channels; ++c) out[i * channels + c] = image.pixels[c * plane + i];
  return out;
}

std::string finish(void* encoder, int status, unsigned char* buffer, unsigned long size) {
  const std::string reason = status == 0 ? "" : tjGetErrorStr2(encoder);
  std::string out(reinterpret_cast<char*>(buffer), status == 0 ? size : 0);
  tjFree(buffer);
  tjDestroy(encoder);
  if (!reason.empty()) throw std::runtime_error(reason);
  return out;
}

std::string compress(const uint8_t* pixels, int height, int width, int format, int subsampling, int quality,
                     int flags) {
  void* encoder = tjInitCompress();
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  const int status =
      tjCompress2(encoder, pixels, width, 0, height, format, &buffer, &size, subsampling, quality, flags);
  return finish(encoder, status, buffer, size);
}

void append_png(png_structp png, png_bytep data, size_t size) {
  static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<char*>(data), size);
}

void write_transparency(png_structp png, png_infop info, const PngForm& form,
                        const std::function<int(int, int, int)>& sample) {
  png_color_16 key{};
  key.gray = key.red = static_cast<png_uint_16>(sample(0, 0, 0));
  if (form.colour == 2) {
    key.green = static_cast<png_uint_16>(sample(0, 0, 1));
    key.blue = static_cast<png_uint_16>(sample(0, 0, 2));
  }
  std::array<png_byte, 256> alpha{};
  const int entries = 1 << form.depth;
  for (int i = 0; form.colour == 3 && i < entries; ++i)
    alpha[static_cast<size_t>(i)] = static_cast<png_byte>(palette_entry(i)[3]);
  png_set_tRNS(png, info, form.colour == 3 ? alpha.data() : nullptr, form.colour == 3 ? entries : 0, &key);
}

void write_palette(png_structp png, png_infop info, int entries) {
  std::array<png_color, 256> palette{};
  for (int i = 0; i < entries; ++i) {
    const auto e = palette_entry(i);
    palette[static_cast<size_t>(i)] = {static_cast<png_byte>(e[0]), static_cast<png_byte>(e[1]),
                                       static_cast<png_byte>(e[2])};
  }
  png_set_PLTE(png, info, palette.data(), entries);
}

/// One row of samples, packed as PNG stores them.
std::vector<png_byte> pack_row(const PngForm& form, int y, int width,
                               const std::function<int(int, int, int)>& sample) {
  constexpr std::array<int, 7> kChannels{1, 0, 3, 1, 2, 0, 4};
  const int channels = kChannels[static_cast<size_t>(form.colour)];
  std::vector<png_byte> row((static_cast<size_t>(width * channels * form.depth) + 7) / 8);
  for (int i = 0; i < width * channels; ++i) {
    const int value = sample(y, i / channels, i % channels);
    const auto bit = static_cast<size_t>(i * form.depth);
    if (form.depth == 16) {
      row[bit / 8] = static_cast<png_byte>(value >> 8);
      row[bit / 8 + 1] = static_cast<png_byte>(value);
    } else {
      row[bit / 8] =
          static_cast<png_byte>(row[bit / 8] | value << (8 - form.depth - static_cast<int>(bit % 8)));
    }
  }
  return row;
}

}  // namespace

Image gradient(int64_t height, int64_t width) {
  Image image{3, height, width, std::vector<uint8_t>(static_cast<size_t>(3 * height * width))};
  uint8_t* p = image.pixels.data();
  for (int64_t c = 0; c < 3; ++c)
    for (int64_t y = 0; y < height; ++y)
      for (int64_t x = 0; x < width; ++x) {
        const int64_t down = 200 * y / height, across = 200 * x / width;
        *p++ = static_cast<uint8_t>(c == 0 ? 20 + down : c == 1 ? 30 + across : 250 - (down + across) / 2);
      }
  return image;
}

std::string jpeg_rgb(const Image& image, int quality, bool progressive) {
  return compress(interleave(image).data(), static_cast<int>(image.height), static_cast<int>(image.width),
                  TJPF_RGB, progressive ? TJSAMP_420 : TJSAMP_444, quality,
                  progressive ? TJFLAG_PROGRESSIVE : 0);
}

std::string jpeg_grey(const Image& image) {
  return compress(image.pixels.data(), static_cast<int>(image.height), static_cast<int>(image.width),
                  TJPF_GRAY, TJSAMP_GRAY, 95, 0);
}

std::string jpeg_ycck(const std::vector<uint8_t>& inverted_cmyk, int height, int width) {
  return compress(inverted_cmyk.data(), height, width, TJPF_CMYK, TJSAMP_444, 98, 0);
}

std::string jpeg_adobe_rgb(const Image& image) {
  const auto plane = static_cast<size_t>(image.height * image.width);
  const unsigned char* planes[3] = {image.pixels.data(), image.pixels.data() + plane,
                                    image.pixels.data() + 2 * plane};
  void* encoder = tjInitCompress();
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  const int status =
      tjCompressFromYUVPlanes(encoder, planes, static_cast<int>(image.width), nullptr,
                              static_cast<int>(image.height), TJSAMP_444, &buffer, &size, 98, 0);
  std::string jpeg = finish(encoder, status, buffer, size);
  jpeg.erase(2, 18);  // the JFIF segment, which would say YCbCr
  return with_segment(jpeg, 0xEE, std::string("Adobe\0\x64\0\0\0\0\0", 12));
}

std::string with_segment(const std::string& jpeg, uint8_t marker, const std::string& content) {
  std::string segment{'\xFF', static_cast<char>(marker)};
  segment += static_cast<char>((content.size() + 2) >> 8);
  segment += static_cast<char>(content.size() + 2);
  return jpeg.substr(0, 2) + segment + content + jpeg.substr(2);
}

std::string exif(int orientation, bool little_endian) {
  std::string out("Exif\0\0", 6);
  const auto put = [&](uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i)
      out += static_cast<char>(value >> 8 * (little_endian ? i : bytes - 1 - i));
  };
  out += little_endian ? "II" : "MM";
  put(42, 2), put(8, 4), put(2, 2);
  put(0x010F, 2), put(2, 2), put(4, 4), out += "cam", out += '\0';
  put(0x0112, 2), put(3, 2), put(1, 4), put(static_cast<uint32_t>(orientation), 2), put(0, 2);
  put(0, 4);
  return out;
}

std::vector<int> palette_entry(int index) {
  return {index * 37 % 256, 255 - index * 11 % 256, index * 91 % 256, index * 53 % 256};
}

std::string png_of(const PngForm& form, int height, int width,
                   const std::function<int(int, int, int)>& sample) {
  std::string out;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(png, &out, append_png, [](png_structp) {});
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), form.depth,
               form.colour, form.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
  if (form.colour == 3) write_palette(png, info, 1 << form.depth);
  if (form.transparent) write_transparency(png, info, form, sample);
  png_write_info(png, info);
  std::vector<std::vector<png_byte>> rows;
  std::vector<png_bytep> pointers;
  for (int y = 0; y < height; ++y) rows.push_back(pack_row(form, y, width, sample));
  for (auto& row : rows) pointers.push_back(row.data());
  png_write_image(png, pointers.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return out;
}

}  // namespace perennial::testing

#include "perennial/io/image.h"

#include <algorithm>
#include <cctype>
#include <fcntl.h>
#include <stdexcept>
#include <unistd.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/io/image_codecs.h"

namespace perennial {
namespace {

constexpr int64_t kMaxFileBytes = int64_t{1} << 30;
constexpr size_t kHeadBytes = 4096;
// EXIF and colour profiles before the frame header seldom exceed this.
constexpr size_t kLongHeadBytes = 256 * 1024;

std::string read_head(const std::filesystem::path& path, size_t limit) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  std::string head(limit, '\0');
  const ssize_t n = ::pread(file, head.data(), limit, 0);
  ::close(file);
  head.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return head;
}

}  // namespace

void bad_image(const std::string& name, const std::string& expected, const std::string& found) {
  throw Error({"decoding an image", name, expected, found});
}

void check_image_size(const std::string& name, int64_t height, int64_t width, int64_t max_pixels) {
  const std::string found = std::to_string(width) + " x " + std::to_string(height) + " pixels";
  if (height < 1 || width < 1) bad_image(name, "at least 1 x 1 pixels", found);
  if (height > max_pixels / width)
    bad_image(name, "at most " + std::to_string(max_pixels) + " pixels", found);
}

Image decode_image(std::string_view bytes, const std::string& name, int64_t max_pixels, int64_t cover) {
  if (is_jpeg(bytes)) return decode_jpeg(bytes, name, max_pixels, cover);
  if (is_png(bytes)) return decode_png(bytes, name, max_pixels);
  bad_image(name, "a JPEG or PNG signature at offset 0", bytes.empty() ? "an empty file" : "something else");
}

Image read_image(const std::filesystem::path& path, int64_t cover) {
  return decode_image(read_file(path, kMaxFileBytes), path.string(), int64_t{1} << 28, cover);
}

ImageSize read_image_size(const std::filesystem::path& path) {
  const std::string head = read_head(path, kHeadBytes);
  const ImageSize size = peek_image_size(head);
  if (size.height > 0 || head.size() < kHeadBytes) return size;
  return peek_image_size(read_head(path, kLongHeadBytes));
}

Image upright_planar(const uint8_t* rgb, int64_t height, int64_t width, int orientation) {
  const bool swapped = orientation >= 5;
  Image out{3, swapped ? width : height, swapped ? height : width, {}};
  out.pixels.resize(static_cast<size_t>(3 * height * width));
  // Steps through the stored image for one step down and one to the right in the upright one.
  const bool flip_rows = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool flip_columns = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const int64_t row_step = (flip_rows ? -1 : 1) * width, column_step = flip_columns ? -1 : 1;
  const int64_t first = (flip_rows ? (height - 1) * width : 0) + (flip_columns ? width - 1 : 0);
  const int64_t down = swapped ? column_step : row_step, right = swapped ? row_step : column_step;
  const int64_t plane = height * width;
  uint8_t* red = out.pixels.data();
  for (int64_t y = 0; y < out.height; ++y) {
    const uint8_t* p = rgb + 3 * (first + y * down);
    for (int64_t x = 0; x < out.width; ++x, p += 3 * right, ++red) {
      red[0] = p[0];
      red[plane] = p[1];
      red[2 * plane] = p[2];
    }
  }
  return out;
}

uint8_t luma(uint8_t r, uint8_t g, uint8_t b) {
  return static_cast<uint8_t>((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16);
}

Image with_channels(const Image& image, int64_t channels) {
  if (channels != 1 && channels != 3) throw std::invalid_argument("an image has 1 or 3 channels");
  if (image.channels == channels) return image;
  const auto plane = static_cast<size_t>(image.height * image.width);
  Image out{channels, image.height, image.width, std::vector<uint8_t>(static_cast<size_t>(channels) * plane)};
  const uint8_t* in = image.pixels.data();
  if (channels == 3)
    for (size_t c = 0; c < 3; ++c) std::copy_n(in, plane, out.pixels.data() + c * plane);
  else
    for (size_t i = 0; i < plane; ++i) out.pixels[i] = luma(in[i], in[plane + i], in[2 * plane + i]);
  return out;
}

bool is_image_name(const std::filesystem::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

}  // namespace perennial

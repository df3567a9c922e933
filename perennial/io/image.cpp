#include "perennial/io/image.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <unistd.h>

#include "perennial/base/environment.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/outputs.h"
#include "perennial/base/text.h"
#include "perennial/io/image_codecs.h"

namespace perennial {
namespace {

constexpr int64_t kMaxFileBytes = int64_t{1} << 30;
constexpr int64_t kMaxPixels = 128'000'000;
constexpr size_t kHeadBytes = 4096;

const ImageCodec* codec_of(std::string_view head) {
  for (const ImageCodec* codec : {&kJpegCodec, &kPngCodec, &kWebpCodec, &kGifCodec, &kBmpCodec, &kTiffCodec})
    if (codec->is(head)) return codec;
  return nullptr;
}

std::string read_head(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  std::string head(kHeadBytes, '\0');
  const ssize_t n = ::pread(file, head.data(), kHeadBytes, 0);
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
    bad_image(name, "at most " + std::to_string(max_pixels) + " pixels (PERENNIAL_MAX_PIXELS)", found);
}

int64_t max_image_pixels() {
  const auto text = environment("PERENNIAL_MAX_PIXELS");
  if (!text) return kMaxPixels;
  const int64_t pixels = parse_int(*text, "PERENNIAL_MAX_PIXELS");
  if (pixels < 1) throw std::invalid_argument("PERENNIAL_MAX_PIXELS: expected 1 or more");
  return pixels;
}

Image decode_image(std::string_view bytes, const std::string& name, int64_t max_pixels, int64_t cover) {
  if (const ImageCodec* codec = codec_of(bytes)) return codec->decode(bytes, name, max_pixels, cover);
  const std::string format(format_name(bytes));
  bad_image(name, "a JPEG, PNG, WebP, GIF, BMP or TIFF",
            bytes.empty()    ? "an empty file"
            : format.empty() ? "something else"
                             : format + "; convert it to JPEG or PNG");
}

std::string read_image_bytes(const std::filesystem::path& path) { return read_file(path, kMaxFileBytes); }

Image read_image(const std::filesystem::path& path, int64_t cover) {
  return decode_image(read_image_bytes(path), path.string(), max_image_pixels(), cover);
}

ImageSize peek_image_size(std::string_view head) {
  const ImageCodec* codec = codec_of(head);
  return codec == nullptr ? ImageSize{} : codec->peek(head);
}

ImageSize read_image_size(const std::filesystem::path& path) {
  const std::string head = read_head(path);
  const ImageSize size = peek_image_size(head);
  if (size.height > 0 || head.size() < kHeadBytes || !is_image(head)) return size;
  try {
    return peek_image_size(MappedFile(path).bytes());
  } catch (const Error&) {
    return {};
  }
}

bool is_image(std::string_view head) { return codec_of(head) != nullptr; }

bool is_image_name(const std::filesystem::path& path) {
  constexpr std::array<std::string_view, 11> kEndings{".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp",
                                                      ".gif", ".bmp",  ".dib", ".tif",  ".tiff"};
  const std::string ending = ending_of(path);
  return std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
}

}  // namespace perennial

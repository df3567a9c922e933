#include <algorithm>
#include <array>
#include <cstring>
#include <gif_lib.h>
#include <memory>

#include "perennial/io/image_codecs.h"

namespace perennial {
namespace {

// A code of LZW has at least 3 bits and stands for at most 4096 pixels.
constexpr int64_t kMaxPixelsPerByte = 8 * 4096 / 3;

bool is_gif(std::string_view bytes) { return bytes.starts_with("GIF87a") || bytes.starts_with("GIF89a"); }

ImageSize peek_gif(std::string_view bytes) {
  const Numbers numbers(bytes, true);
  return {numbers.u16(8), numbers.u16(6)};
}

struct CloseGif {
  void operator()(GifFileType* gif) const { DGifCloseFile(gif, nullptr); }
};

class GifReader {
 public:
  GifReader(std::string_view bytes, const std::string& name) : name_(name), bytes_(bytes), left_(bytes) {
    int code = 0;
    gif_.reset(DGifOpen(&left_, read, &code));
    if (!gif_) fail(code);
  }

  /// The first image as RGBA on a transparent canvas.
  Image first(int64_t max_pixels) {
    int transparent = NO_TRANSPARENT_COLOR;
    for (;;) {
      GifRecordType type = UNDEFINED_RECORD_TYPE;
      require(DGifGetRecordType(gif_.get(), &type));
      if (type == EXTENSION_RECORD_TYPE)
        extension(transparent);
      else if (type == IMAGE_DESC_RECORD_TYPE)
        return image(transparent, max_pixels);
      else
        bad_image(name_, "an image in the GIF", "none");
    }
  }

 private:
  static int read(GifFileType* gif, GifByteType* out, int count) {
    auto& left = *static_cast<std::string_view*>(gif->UserData);
    const size_t n = std::min(static_cast<size_t>(std::max(count, 0)), left.size());
    std::memcpy(out, left.data(), n);
    left.remove_prefix(n);
    return static_cast<int>(n);
  }

  [[noreturn]] void fail(int code) const {
    const char* reason = GifErrorString(code);
    bad_image(name_, "a sound GIF",
              std::string(reason == nullptr ? "damaged data" : reason) + " at offset " +
                  std::to_string(bytes_.size() - left_.size()));
  }
  void require(int status) const {
    if (status != GIF_OK) fail(gif_->Error);
  }

  void extension(int& transparent) {
    int kind = 0;
    GifByteType* block = nullptr;
    require(DGifGetExtension(gif_.get(), &kind, &block));
    while (block != nullptr) {
      GraphicsControlBlock control;
      if (kind == GRAPHICS_EXT_FUNC_CODE && DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK)
        transparent = control.TransparentColor;
      require(DGifGetExtensionNext(gif_.get(), &block));
    }
  }

  Image image(int transparent, int64_t max_pixels) {
    require(DGifGetImageDesc(gif_.get()));
    const GifImageDesc& at = gif_->Image;
    const int64_t height = std::max<int64_t>(gif_->SHeight, int64_t{at.Top} + at.Height);
    const int64_t width = std::max<int64_t>(gif_->SWidth, int64_t{at.Left} + at.Width);
    check_image_size(name_, height, width, max_pixels);
    check_image_size(name_, at.Height, at.Width, max_pixels);
    if (int64_t{at.Height} * at.Width > kMaxPixelsPerByte * static_cast<int64_t>(bytes_.size()))
      bad_image(name_, "data for " + std::to_string(at.Width) + " x " + std::to_string(at.Height) + " pixels",
                std::to_string(bytes_.size()) + " bytes");
    const ColorMapObject* colours = at.ColorMap != nullptr ? at.ColorMap : gif_->SColorMap;
    if (colours == nullptr) bad_image(name_, "a colour table", "none");
    Image rgba{4, height, width, std::vector<uint8_t>(static_cast<size_t>(4 * height * width))};
    std::vector<GifPixelType> line(static_cast<size_t>(at.Width));
    for (const auto [first, step] : passes(at.Interlace))
      for (int y = first; y < at.Height; y += step) {
        require(DGifGetLine(gif_.get(), line.data(), at.Width));
        uint8_t* out = rgba.pixels.data() + 4 * ((at.Top + y) * width + at.Left);
        for (const GifPixelType pixel : line) {
          const bool known = pixel < colours->ColorCount;
          const GifColorType colour = known ? colours->Colors[pixel] : GifColorType{};
          const uint8_t alpha = pixel == transparent ? 0 : 255;
          for (const uint8_t value : {colour.Red, colour.Green, colour.Blue, alpha}) *out++ = value;
        }
      }
    return rgba;
  }

  /// First row and step of each pass over an image.
  static std::vector<std::array<int, 2>> passes(bool interlaced) {
    if (!interlaced) return {{0, 1}};
    return {{0, 8}, {4, 8}, {2, 4}, {1, 2}};
  }

  const std::string& name_;
  std::string_view bytes_, left_;
  std::unique_ptr<GifFileType, CloseGif> gif_;
};

Image decode_gif(std::string_view bytes, const std::string& name, int64_t max_pixels, int64_t /*cover*/) {
  const ImageSize size = peek_gif(bytes);
  check_image_size(name, size.height, size.width, max_pixels);
  Image image = GifReader(bytes, name).first(max_pixels);
  over_white(image.pixels);
  return upright_planar(image.pixels.data(), image.height, image.width, 0);
}

}  // namespace

const ImageCodec kGifCodec{is_gif, peek_gif, decode_gif};

}  // namespace perennial

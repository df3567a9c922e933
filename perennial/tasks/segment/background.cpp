#include "perennial/tasks/segment/background.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "perennial/io/image.h"

namespace perennial {
namespace {

// Sliding sums along a line of `count` pixels, `step` bytes apart.
void blur_line(const uint8_t* in, uint8_t* out, int64_t count, int64_t step, int64_t radius) {
  const auto clamp = [count](int64_t i) { return std::clamp<int64_t>(i, 0, count - 1); };
  const int64_t width = 2 * radius + 1;
  for (int64_t c = 0; c < 3; ++c) {
    int64_t sum = width / 2;
    for (int64_t i = -radius; i <= radius; ++i) sum += in[clamp(i) * step + c];
    for (int64_t i = 0; i < count; ++i) {
      out[i * step + c] = static_cast<uint8_t>(sum / width);
      sum += in[clamp(i + radius + 1) * step + c] - in[clamp(i - radius) * step + c];
    }
  }
}

// The image scaled to cover the frame, its centre kept.
Frame covering(const Frame& image, int64_t width, int64_t height) {
  const double scale = std::max(static_cast<double>(width) / static_cast<double>(image.width),
                                static_cast<double>(height) / static_cast<double>(image.height));
  Frame out{width, height, std::vector<uint8_t>(static_cast<size_t>(3 * width * height))};
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      const auto from = [scale](int64_t at, int64_t to, int64_t side) {
        const double v = (static_cast<double>(at) + 0.5 - static_cast<double>(to) / 2) / scale +
                         static_cast<double>(side) / 2;
        return std::clamp<int64_t>(static_cast<int64_t>(v), 0, side - 1);
      };
      const int64_t at = 3 * (from(y, height, image.height) * image.width + from(x, width, image.width));
      std::copy_n(&image.rgb[static_cast<size_t>(at)], 3, &out.rgb[static_cast<size_t>(3 * (y * width + x))]);
    }
  return out;
}

uint8_t hex(const std::string& text, size_t at) {
  uint8_t value = 0;
  const auto [end, code] = std::from_chars(text.data() + at, text.data() + at + 2, value, 16);
  if (code != std::errc() || end != text.data() + at + 2)
    throw std::invalid_argument("background: expected a colour such as #20a0ff, found '" + text + "'");
  return value;
}

}  // namespace

void blur(Frame& frame, int64_t radius) {
  std::vector<uint8_t> other(frame.rgb.size());
  for (int pass = 0; pass < 2; ++pass) {
    for (int64_t y = 0; y < frame.height; ++y)
      blur_line(&frame.rgb[static_cast<size_t>(3 * y * frame.width)],
                &other[static_cast<size_t>(3 * y * frame.width)], frame.width, 3, radius);
    for (int64_t x = 0; x < frame.width; ++x)
      blur_line(&other[static_cast<size_t>(3 * x)], &frame.rgb[static_cast<size_t>(3 * x)], frame.height,
                3 * frame.width, radius);
  }
}

Background Background::parse(const std::string& text) {
  Background b;
  if (text == "blur") return b;
  if (text == "transparent") {
    b.kind_ = Kind::kTransparent;
    return b;
  }
  if (text.starts_with('#')) {
    if (text.size() != 7)
      throw std::invalid_argument("background: expected a colour such as #20a0ff, found '" + text + "'");
    b.kind_ = Kind::kColour;
    for (size_t c = 0; c < 3; ++c) b.colour_[c] = hex(text, 1 + 2 * c);
    return b;
  }
  if (!is_image_name(text))
    throw std::invalid_argument("background: expected blur, transparent, #RRGGBB or an image, found '" +
                                text + "'");
  b.kind_ = Kind::kImage;
  const Image image = read_image(text);
  b.image_ = frame_of(image);
  return b;
}

const std::vector<uint8_t>& Background::behind(const Frame& frame) {
  if (kind_ == Kind::kBlur) {
    fitted_ = frame;
    blur(fitted_, std::max<int64_t>(2, std::min(frame.width, frame.height) / 24));
  } else if (fitted_.width != frame.width || fitted_.height != frame.height) {
    fitted_ = kind_ == Kind::kImage ? covering(image_, frame.width, frame.height) : frame;
    if (kind_ == Kind::kColour)
      for (size_t i = 0; i < fitted_.rgb.size(); ++i) fitted_.rgb[i] = colour_[i % 3];
  }
  return fitted_.rgb;
}

void Background::compose(Frame& frame, const std::vector<uint8_t>& alpha) {
  if (transparent()) return;
  const auto& other = behind(frame);
  for (size_t p = 0; p < alpha.size(); ++p)
    for (size_t c = 0; c < 3; ++c) {
      uint8_t& pixel = frame.rgb[3 * p + c];
      pixel = static_cast<uint8_t>((pixel * alpha[p] + other[3 * p + c] * (255 - alpha[p]) + 127) / 255);
    }
}

}  // namespace perennial

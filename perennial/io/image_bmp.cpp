#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>

#include "perennial/io/image_codecs.h"

// Windows bitmaps: headers of OS/2 and of Windows 3 to 5; 1 to 32 bits, masks, run lengths.
namespace perennial {
namespace {

constexpr size_t kFileHeader = 14;
enum Compression : uint32_t { kPlain = 0, kRle8 = 1, kRle4 = 2, kMasks = 3, kAlphaMasks = 6 };

struct BmpHeader {
  ImageSize size;
  uint32_t bits = 0, compression = kPlain;
  bool top_down = false;
  size_t pixels = 0;                           ///< offset
  size_t palette = 0, colours = 0, entry = 4;  ///< offset, number and bytes of the entries
  std::array<uint32_t, 4> masks{};             ///< red, green, blue, alpha
};

bool is_bmp(std::string_view bytes) {
  if (!bytes.starts_with("BM")) return false;
  const uint32_t header = Numbers(bytes, true).u32(kFileHeader);
  return header == 12 || header == 16 || header == 40 || header == 52 || header == 56 || header == 64 ||
         header == 108 || header == 124;
}

BmpHeader read_header(std::string_view bytes) {
  const Numbers at(bytes, true);
  const uint32_t length = at.u32(kFileHeader);
  BmpHeader h;
  h.pixels = at.u32(10);
  h.palette = kFileHeader + length;
  if (length == 12) {
    h.size = {at.u16(20), at.u16(18)};
    h.bits = at.u16(24);
    h.entry = 3;
  } else {
    const auto height = static_cast<int32_t>(at.u32(22)), width = static_cast<int32_t>(at.u32(18));
    h.top_down = height < 0;
    h.size = {std::abs(int64_t{height}), std::max(0, width)};
    h.bits = at.u16(28);
    if (length > 16) h.compression = at.u32(30);
    h.colours = length > 16 ? at.u32(46) : 0;
  }
  if (h.compression == kMasks || h.compression == kAlphaMasks) {
    const size_t count = h.compression == kAlphaMasks || length >= 56 ? 4 : 3;
    for (size_t i = 0; i < count; ++i) h.masks[i] = at.u32(54 + 4 * i);
    if (length == 40) h.palette += 4 * count;
  } else if (h.bits == 16) {
    h.masks = {0x7C00, 0x03E0, 0x001F, 0};
  } else {
    h.masks = {0xFF0000, 0xFF00, 0xFF, 0};
  }
  if (h.bits <= 8 && (h.colours == 0 || h.colours > size_t{1} << h.bits)) h.colours = size_t{1} << h.bits;
  return h;
}

ImageSize peek_bmp(std::string_view bytes) { return read_header(bytes).size; }

void check_form(const BmpHeader& h, const std::string& name) {
  const bool indexed = h.bits == 1 || h.bits == 2 || h.bits == 4 || h.bits == 8;
  const bool deep = h.bits == 16 || h.bits == 24 || h.bits == 32;
  const bool fits = h.compression == kPlain  ? indexed || deep
                    : h.compression == kRle8 ? h.bits == 8 && !h.top_down
                    : h.compression == kRle4 ? h.bits == 4 && !h.top_down
                                             : (h.compression == kMasks || h.compression == kAlphaMasks) &&
                                                   (h.bits == 16 || h.bits == 32);
  if (!fits)
    bad_image(name, "a BMP of 1 to 32 bits, plain, with masks or run lengths",
              std::to_string(h.bits) + " bits, compression " + std::to_string(h.compression));
}

/// Palette indices of a run-length coded image, bottom row first.
std::vector<uint8_t> unpack_runs(std::string_view bytes, const BmpHeader& h, const std::string& name) {
  const int64_t width = h.size.width, height = h.size.height;
  std::vector<uint8_t> indices(static_cast<size_t>(width * height));
  const Numbers numbers(bytes, true);
  const bool nibbles = h.compression == kRle4;
  int64_t x = 0, y = 0;
  const auto put = [&](uint32_t index) {
    if (x < width && y < height) indices[static_cast<size_t>(y * width + x)] = static_cast<uint8_t>(index);
    ++x;
  };
  const auto part = [&](uint32_t byte, uint32_t i) {
    return nibbles ? (i % 2 == 0 ? byte >> 4 : byte & 15) : byte;
  };
  for (size_t at = h.pixels; at + 2 <= bytes.size(); at += 2) {
    const uint32_t count = numbers.u8(at), value = numbers.u8(at + 1);
    if (count > 0) {
      for (uint32_t i = 0; i < count; ++i) put(part(value, i));
    } else if (value == 0) {
      x = 0, ++y;
    } else if (value == 1) {
      return indices;
    } else if (value == 2) {
      x += numbers.u8(at + 2), y += numbers.u8(at + 3);
      at += 2;
    } else {
      const size_t length = nibbles ? (value + 1) / 2 : value;
      if (at + 2 + length > bytes.size()) break;
      for (uint32_t i = 0; i < value; ++i) put(part(numbers.u8(at + 2 + (nibbles ? i / 2 : i)), i));
      at += (length + 1) / 2 * 2;
    }
  }
  if (y + 1 < height || (y + 1 == height && x < width))
    bad_image(name, "runs for all pixels", "the end of the data at offset " + std::to_string(bytes.size()));
  return indices;
}

/// A sample under a mask, widened to eight bits.
uint8_t masked(uint32_t value, uint32_t mask) {
  if (mask == 0) return 0;
  const int shift = std::countr_zero(mask);
  return static_cast<uint8_t>(uint64_t{(value & mask) >> shift} * 255 / (mask >> shift));
}

class Pixels {
 public:
  Pixels(std::string_view bytes, const BmpHeader& h, const std::string& name) : h_(h), at_(bytes, true) {
    row_bytes_ = (static_cast<size_t>(h.size.width) * h.bits + 31) / 32 * 4;
    if (h.compression == kRle8 || h.compression == kRle4) {
      indices_ = unpack_runs(bytes, h, name);
      return;
    }
    // The padding of the last row may be missing.
    const size_t last = (static_cast<size_t>(h.size.width) * h.bits + 7) / 8;
    const size_t needed = h.pixels + row_bytes_ * static_cast<size_t>(h.size.height - 1) + last;
    if (needed > bytes.size())
      bad_image(name, std::to_string(needed) + " bytes", std::to_string(bytes.size()) + " bytes");
  }

  /// RGBA, top row first; opaque where there is no alpha, or where all of it is zero.
  std::vector<uint8_t> rgba() const {
    std::vector<uint8_t> out;
    out.reserve(static_cast<size_t>(4 * h_.size.height * h_.size.width));
    uint8_t any_alpha = 0;
    for (int64_t y = 0; y < h_.size.height; ++y)
      for (int64_t x = 0; x < h_.size.width; ++x) {
        const auto pixel = rgba_at(h_.top_down ? y : h_.size.height - 1 - y, x);
        out.insert(out.end(), pixel.begin(), pixel.end());
        any_alpha |= pixel[3];
      }
    if (any_alpha == 0)
      for (size_t i = 3; i < out.size(); i += 4) out[i] = 255;
    return out;
  }

 private:
  std::array<uint8_t, 4> rgba_at(int64_t row, int64_t x) const {
    const size_t begin = h_.pixels + static_cast<size_t>(row) * row_bytes_;
    const auto column = static_cast<size_t>(x);
    if (!indices_.empty()) return colour(indices_[static_cast<size_t>(row * h_.size.width + x)]);
    if (h_.bits <= 8) {
      const size_t bit = column * h_.bits;
      const uint32_t byte = at_.u8(begin + bit / 8) >> (8 - h_.bits - bit % 8);
      return colour(byte & ((1U << h_.bits) - 1));
    }
    const size_t pixel = begin + column * h_.bits / 8;
    const uint32_t value = h_.bits == 16   ? at_.u16(pixel)
                           : h_.bits == 32 ? at_.u32(pixel)
                                           : at_.u16(pixel) | at_.u8(pixel + 2) << 16;
    const uint8_t alpha = h_.masks[3] == 0 ? 255 : masked(value, h_.masks[3]);
    return {masked(value, h_.masks[0]), masked(value, h_.masks[1]), masked(value, h_.masks[2]), alpha};
  }

  std::array<uint8_t, 4> colour(uint32_t index) const {
    if (index >= h_.colours) return {0, 0, 0, 255};
    const size_t at = h_.palette + index * h_.entry;
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(at_.u8(at + i)); };
    return {byte(2), byte(1), byte(0), 255};
  }

  const BmpHeader& h_;
  Numbers at_;
  size_t row_bytes_ = 0;
  std::vector<uint8_t> indices_;
};

Image decode_bmp(std::string_view bytes, const std::string& name, int64_t max_pixels, int64_t /*cover*/) {
  const BmpHeader header = read_header(bytes);
  check_image_size(name, header.size.height, header.size.width, max_pixels);
  check_form(header, name);
  std::vector<uint8_t> pixels = Pixels(bytes, header, name).rgba();
  over_white(pixels);
  return upright_planar(pixels.data(), header.size.height, header.size.width, 0);
}

}  // namespace

const ImageCodec kBmpCodec{is_bmp, peek_bmp, decode_bmp};

}  // namespace perennial

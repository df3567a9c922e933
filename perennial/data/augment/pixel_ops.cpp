#include "perennial/data/augment/pixel_ops.h"

#include <algorithm>
#include <cstring>

namespace perennial {
namespace {

using Table = std::array<uint8_t, 256>;
using Histogram = std::array<int32_t, 256>;

void apply(const Table& table, uint8_t* values, int count) {
  for (int i = 0; i < count; ++i) values[i] = table[values[i]];
}

/// PIL's Image.blend: from `base` at 0 to `value` at 1 and beyond, cut off, not rounded.
inline uint8_t blend(int base, int value, float factor) {
  const float mixed = static_cast<float>(base) + factor * static_cast<float>(value - base);
  return static_cast<uint8_t>(static_cast<int>(std::min(255.0F, std::max(0.0F, mixed))));
}

void blend_from_flat(ImageView image, int base, float factor) {
  Table table;
  for (int v = 0; v < 256; ++v) table[static_cast<size_t>(v)] = blend(base, v, factor);
  apply(table, image.pixels, image.size());
}

/// Four tables, so that equal neighbours do not wait for each other.
Histogram histogram(const uint8_t* values, int count) {
  int32_t parts[4][256] = {};
  int i = 0;
  for (; i + 4 <= count; i += 4)
    for (int k = 0; k < 4; ++k) ++parts[k][values[i + k]];
  for (; i < count; ++i) ++parts[0][values[i]];
  Histogram sum;
  for (size_t v = 0; v < 256; ++v) sum[v] = parts[0][v] + parts[1][v] + parts[2][v] + parts[3][v];
  return sum;
}

int64_t luma_sum(ImageView image) {
  int64_t sum = 0;
  if (image.channels == 1) {
    for (int i = 0; i < image.size(); ++i) sum += image.pixels[i];
    return sum;
  }
  const uint8_t *red = image.plane(0), *green = image.plane(1), *blue = image.plane(2);
  for (int y = 0; y < image.height; ++y) {
    int32_t row = 0;
    for (int x = 0; x < image.width; ++x) row += luma(*red++, *green++, *blue++);
    sum += row;
  }
  return sum;
}

/// The table of one channel; false when it changes nothing.
bool autocontrast_table(const uint8_t* values, int count, Table& table) {
  uint8_t low = 255, high = 0;
  for (int i = 0; i < count; ++i) low = std::min(low, values[i]), high = std::max(high, values[i]);
  if (high <= low) return false;
  const double scale = 255.0 / (high - low);
  const double offset = -low * scale;
  for (int v = low; v <= high; ++v)
    table[static_cast<size_t>(v)] =
        static_cast<uint8_t>(std::clamp(static_cast<int>(v * scale + offset), 0, 255));
  return true;
}

bool equalize_table(const uint8_t* values, int count, Table& table) {
  const Histogram counts = histogram(values, count);
  size_t last = 255;
  while (last > 0 && counts[last] == 0) --last;
  const int step = (count - counts[last]) / 255;
  if (step == 0) return false;
  int n = step / 2;
  for (size_t v = 0; v <= last; ++v) {
    table[v] = static_cast<uint8_t>(std::min(255, n / step));
    n += counts[v];
  }
  return true;
}

/// `out` is the row between `above` and `below`; the first and last value are left alone.
void sharpen_row(const uint8_t* above, const uint8_t* here, const uint8_t* below, uint8_t* out, int width,
                 float factor) {
  for (int x = 1; x < width - 1; ++x) {
    const int sum = above[x - 1] + above[x] + above[x + 1] + here[x - 1] + 5 * here[x] + here[x + 1] +
                    below[x - 1] + below[x] + below[x + 1];
    const int smooth = ((sum + 6) * 5042) >> 16;  // (sum + 6) / 13, exact for every sum of bytes
    out[x] = blend(smooth, here[x], factor);
  }
}

}  // namespace

void invert(ImageView image) {
  for (int i = 0; i < image.size(); ++i) image.pixels[i] = static_cast<uint8_t>(~image.pixels[i]);
}

void solarize(ImageView image, int threshold) {
  if (threshold > 255) return;
  const auto limit = static_cast<uint8_t>(std::max(0, threshold));
  for (int i = 0; i < image.size(); ++i) {
    const uint8_t v = image.pixels[i];
    image.pixels[i] = v < limit ? v : static_cast<uint8_t>(~v);
  }
}

void posterize(ImageView image, int bits) {
  const auto mask = static_cast<uint8_t>(0xFF00 >> std::clamp(bits, 0, 8));
  for (int i = 0; i < image.size(); ++i) image.pixels[i] &= mask;
}

void autocontrast(ImageView image) {
  Table table;
  for (int c = 0; c < image.channels; ++c)
    if (autocontrast_table(image.plane(c), image.plane_size(), table))
      apply(table, image.plane(c), image.plane_size());
}

void equalize(ImageView image) {
  Table table;
  for (int c = 0; c < image.channels; ++c)
    if (equalize_table(image.plane(c), image.plane_size(), table))
      apply(table, image.plane(c), image.plane_size());
}

void brightness(ImageView image, float factor) { blend_from_flat(image, 0, factor); }

void contrast(ImageView image, float factor) {
  const double mean = static_cast<double>(luma_sum(image)) / image.plane_size();
  blend_from_flat(image, static_cast<int>(mean + 0.5), factor);
}

void colour(ImageView image, float factor) {
  if (image.channels == 1) return;
  uint8_t *red = image.plane(0), *green = image.plane(1), *blue = image.plane(2);
  for (int i = 0; i < image.plane_size(); ++i) {
    const int grey = luma(red[i], green[i], blue[i]);
    red[i] = blend(grey, red[i], factor);
    green[i] = blend(grey, green[i], factor);
    blue[i] = blend(grey, blue[i], factor);
  }
}

void sharpness(ImageView image, float factor) {
  const int width = image.width, height = image.height;
  if (width < 3 || height < 3) return;
  const auto row_bytes = static_cast<size_t>(width);
  uint8_t* above = pixel_scratch(2 * row_bytes);  // rows as they were before this call changed them
  uint8_t* here = above + row_bytes;
  for (int c = 0; c < image.channels; ++c) {
    std::memcpy(above, image.row(c, 0), row_bytes);
    for (int y = 1; y < height - 1; ++y) {
      std::memcpy(here, image.row(c, y), row_bytes);
      sharpen_row(above, here, image.row(c, y + 1), image.row(c, y), width, factor);
      std::swap(above, here);
    }
  }
}

}  // namespace perennial

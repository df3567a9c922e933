#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "edge/api.h"

using namespace perennial::edge;

namespace {

// Bytes from the first row's beginning to the last one's end, of which `found` are there.
void require_rows(size_t found, int32_t height, size_t row_bytes, size_t row) {
  require(row_bytes >= row, "rows that overlap");
  const auto rows = static_cast<size_t>(height - 1);
  if (found < row || (rows > 0 && (found - row) / rows < row_bytes))
    throw std::invalid_argument("a buffer smaller than its image: " + std::to_string(found) + " bytes for " +
                                std::to_string(height) + " rows");
}

void require_sides(int32_t width, int32_t height) {
  require(width >= 1 && height >= 1, "an image without pixels");
  require(width <= 1 << 15 && height <= 1 << 15, "an image of more than 32768 pixels a side");
}

Pixels checked(const uint8_t* pixels, size_t bytes, int32_t width, int32_t height, size_t row_bytes,
               int32_t pixel_bytes) {
  require(pixels != nullptr, "an image without pixels");
  require_sides(width, height);
  require(pixel_bytes == 3 || pixel_bytes == 4, "expected 3 or 4 bytes a pixel");
  require_rows(bytes, height, row_bytes, static_cast<size_t>(width) * static_cast<size_t>(pixel_bytes));
  return {pixels, width, height, row_bytes, pixel_bytes};
}

void check_alpha(const uint8_t* alpha, size_t bytes, int32_t width, int32_t height, size_t row_bytes) {
  require(alpha != nullptr, "nowhere to write");
  require_sides(width, height);
  require_rows(bytes, height, row_bytes, static_cast<size_t>(width));
}

// The last class's probability of each pixel.
void softmax_last(std::span<const float> scores, size_t classes, std::vector<float>& out, Budget& budget) {
  const size_t pixels = scores.size() / classes;
  resize(out, pixels, &budget);
  const float* last = scores.data() + (classes - 1) * pixels;
  for (size_t p = 0; p < pixels; ++p) {
    float sum = classes == 1 ? std::exp(-last[p]) : 0.0F;
    for (size_t c = 0; c + 1 < classes; ++c) sum += std::exp(scores[c * pixels + p] - last[p]);
    out[p] = 1.0F / (1.0F + sum);
  }
}

constexpr size_t kUnknown = SIZE_MAX;  // how much lies there, for callers who do not say

}  // namespace

int pe_set_image(pe_model* model, int32_t index, const uint8_t* pixels, int32_t width, int32_t height,
                 size_t row_bytes, int32_t pixel_bytes) {
  return pe_set_image_n(model, index, pixels, kUnknown, width, height, row_bytes, pixel_bytes);
}

int pe_set_image_n(pe_model* model, int32_t index, const uint8_t* pixels, size_t bytes, int32_t width,
                   int32_t height, size_t row_bytes, int32_t pixel_bytes) {
  return guarded(-1, [&] {
    const PortRecord& p = port_of(model, false, index);
    require(p.divisor != 0, "this input is no image");
    const Pixels image = checked(pixels, bytes, width, height, row_bytes, pixel_bytes);
    const TensorRecord& t = model->engine.model().tensors()[p.tensor];
    model->resizer.to_planes(image, p, static_cast<int32_t>(t.width), static_cast<int32_t>(t.height),
                             model->engine.input(static_cast<size_t>(index)).data());
    return 0;
  });
}

int pe_read_matte(pe_model* model, int32_t index, uint8_t* alpha, int32_t width, int32_t height,
                  size_t row_bytes) {
  return pe_read_matte_n(model, index, alpha, kUnknown, width, height, row_bytes);
}

int pe_read_matte_n(pe_model* model, int32_t index, uint8_t* alpha, size_t bytes, int32_t width,
                    int32_t height, size_t row_bytes) {
  return guarded(-1, [&] {
    const PortRecord& p = port_of(model, true, index);
    check_alpha(alpha, bytes, width, height, row_bytes);
    const TensorRecord& t = model->engine.model().tensors()[p.tensor];
    softmax_last(model->engine.output(static_cast<size_t>(index)), t.channels, model->matte,
                 model->engine.budget());
    model->resizer.to_bytes(model->matte.data(), static_cast<int32_t>(t.width),
                            static_cast<int32_t>(t.height), alpha, width, height, row_bytes);
    return 0;
  });
}

int pe_read_matte_refined(pe_model* model, int32_t index, const uint8_t* pixels, int32_t width,
                          int32_t height, size_t pixel_row_bytes, int32_t pixel_bytes, uint8_t* alpha,
                          size_t row_bytes) {
  return pe_read_matte_refined_n(model, index, pixels, kUnknown, width, height, pixel_row_bytes, pixel_bytes,
                                 alpha, kUnknown, row_bytes);
}

int pe_read_matte_refined_n(pe_model* model, int32_t index, const uint8_t* pixels, size_t pixels_bytes,
                            int32_t width, int32_t height, size_t pixel_row_bytes, int32_t pixel_bytes,
                            uint8_t* alpha, size_t alpha_bytes, size_t row_bytes) {
  return guarded(-1, [&] {
    const PortRecord& p = port_of(model, true, index);
    const Pixels image = checked(pixels, pixels_bytes, width, height, pixel_row_bytes, pixel_bytes);
    check_alpha(alpha, alpha_bytes, width, height, row_bytes);
    const TensorRecord& t = model->engine.model().tensors()[p.tensor];
    softmax_last(model->engine.output(static_cast<size_t>(index)), t.channels, model->matte,
                 model->engine.budget());
    model->refiner.refine(model->matte.data(), static_cast<int32_t>(t.width), static_cast<int32_t>(t.height),
                          image, alpha, row_bytes);
    return 0;
  });
}

#include "perennial/nn/normalise.h"

#include <stdexcept>

#include <ATen/ops/addcmul.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include "perennial/base/threads.h"

namespace perennial {
namespace {

struct Line {
  float scale[3], shift[3];
};

Line line_of(const Normalisation& n) {
  Line line{};
  for (int c = 0; c < 3; ++c) {
    line.scale[c] = static_cast<float>(1.0 / (255.0 * n.std[c]));
    line.shift[c] = static_cast<float>(-n.mean[c] / n.std[c]);
  }
  return line;
}

void normalise_image(const uint8_t* in, float* out, int64_t channels, int64_t pixels, const Line& line) {
  const uint8_t* plane[3] = {in, in + (channels == 3 ? pixels : 0), in + (channels == 3 ? 2 * pixels : 0)};
  for (int64_t p = 0; p < pixels; ++p)
    for (int c = 0; c < 3; ++c)
      out[3 * p + c] = static_cast<float>(plane[c][p]) * line.scale[c] + line.shift[c];
}

at::Tensor on_cpu(const at::Tensor& images, const Line& line) {
  const at::Tensor in = images.contiguous();
  const int64_t n = in.size(0), channels = in.size(1), h = in.size(2), w = in.size(3);
  at::Tensor out = at::empty({n, 3, h, w}, at::TensorOptions(at::kFloat), at::MemoryFormat::ChannelsLast);
  const uint8_t* source = in.const_data_ptr<uint8_t>();
  auto* target = out.mutable_data_ptr<float>();
  const int64_t grain = std::max<int64_t>(1, 65536 / std::max<int64_t>(1, 3 * h * w));
  parallel_for(n, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      normalise_image(source + i * channels * h * w, target + i * 3 * h * w, channels, h * w, line);
  });
  return out;
}

// The bytes travel, not the floats.
at::Tensor on_device(const at::Tensor& images, const Line& line, c10::Device device) {
  const auto row = [&](const float* values) {
    return at::from_blob(const_cast<float*>(values), {1, 3, 1, 1}, at::kFloat).to(device);
  };
  return at::addcmul(row(line.shift), images.to(device).to(at::kFloat), row(line.scale))
      .contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace

at::Tensor normalise(const at::Tensor& images, const Normalisation& normalisation, c10::Device device) {
  const bool fits =
      images.dim() == 4 && images.scalar_type() == at::kByte && (images.size(1) == 1 || images.size(1) == 3);
  if (!fits) throw std::invalid_argument("a model takes uint8 images of one or three channels");
  const Line line = line_of(normalisation);
  if (device.is_cpu() && images.is_cpu()) return on_cpu(images, line);
  return on_device(images, line, device);
}

}  // namespace perennial

#include "perennial/tasks/segment/sinet_preprocess.h"

#include <stdexcept>

#include <ATen/ops/empty.h>

#include "perennial/base/threads.h"

namespace perennial {
namespace {

using Table = std::array<float, 256>;

/// What each value of one colour becomes.
Table table_of(float mean, float std) {
  Table table;
  for (size_t v = 0; v < 256; ++v) table[v] = (static_cast<float>(v) - mean) / std / 255.0F;
  return table;
}

}  // namespace

at::Tensor sinet_preprocess(const at::Tensor& images, const SinetStatistics& statistics) {
  const bool fits = images.dim() == 4 && images.size(1) == 3 && images.scalar_type() == at::kByte;
  if (!fits) throw std::invalid_argument("SINet takes uint8 images [N, 3, H, W]");
  const at::Tensor source = images.cpu().contiguous();
  at::Tensor result =
      at::empty(source.sizes(), at::TensorOptions().dtype(at::kFloat), at::MemoryFormat::ChannelsLast);
  std::array<Table, 3> tables;
  for (size_t c = 0; c < 3; ++c) tables[c] = table_of(statistics.mean[c], statistics.std[c]);
  const int64_t area = source.size(2) * source.size(3);
  const uint8_t* in = source.const_data_ptr<uint8_t>();
  float* out = result.mutable_data_ptr<float>();
  parallel_for(source.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n)
      for (int64_t c = 0; c < 3; ++c) {
        const uint8_t* plane = in + (3 * n + 2 - c) * area;
        const Table& table = tables[static_cast<size_t>(c)];
        for (int64_t i = 0; i < area; ++i) out[(n * area + i) * 3 + c] = table[plane[i]];
      }
  });
  return result;
}

}  // namespace perennial

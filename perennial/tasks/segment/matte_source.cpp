#include "perennial/tasks/segment/matte_source.h"

#include <algorithm>
#include <stdexcept>

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include "perennial/base/random.h"

namespace perennial {
namespace {

template <class Bytes>
Column ragged(const std::vector<const Matte*>& mattes, Bytes bytes_of) {
  std::vector<int64_t> offsets{0};
  for (const Matte* m : mattes) offsets.push_back(offsets.back() + std::ssize(bytes_of(*m)));
  const at::Tensor values = at::empty({offsets.back()}, at::kByte);
  auto* out = values.mutable_data_ptr<uint8_t>();
  for (const Matte* m : mattes) out = std::copy(bytes_of(*m).begin(), bytes_of(*m).end(), out);
  return {values, std::move(offsets)};
}

}  // namespace

Samples photographs(const std::vector<const Matte*>& mattes) {
  std::vector<int64_t> ids;
  const at::Tensor sizes = at::empty({std::ssize(mattes), 2}, at::kLong);
  auto* size = sizes.mutable_data_ptr<int64_t>();
  for (const Matte* matte : mattes) {
    ids.push_back(matte->id);
    *size++ = matte->image.height;
    *size++ = matte->image.width;
  }
  return {std::move(ids),
          {{column::kPhotograph, ragged(mattes, [](const Matte& m) -> auto& { return m.image.pixels; })},
           {column::kPhotographMask, ragged(mattes, [](const Matte& m) -> auto& { return m.mask; })},
           {column::kPhotographSize, sizes}}};
}

MatteSource::MatteSource(std::vector<Matte> mattes) : mattes_(std::move(mattes)) {
  for (const Matte& matte : mattes_) ids_.push_back(matte.id);
}

Samples MatteSource::get(std::span<const int64_t> rows) const {
  std::vector<const Matte*> chosen;
  for (const int64_t row : rows) {
    if (row < 0 || row >= std::ssize(mattes_))
      throw std::invalid_argument(fmt::format("mattes: row {} of {}", row, mattes_.size()));
    chosen.push_back(&mattes_[static_cast<size_t>(row)]);
  }
  return photographs(chosen);
}

uint64_t MatteSource::hash(uint64_t seed) const {
  uint64_t hash = seed;
  const auto add = [&](const std::vector<uint8_t>& bytes) {
    hash = hash64({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, hash);
  };
  for (const Matte& matte : mattes_) {
    hash = mix64(hash, static_cast<uint64_t>(matte.id));
    add(matte.image.pixels);
    add(matte.mask);
  }
  return hash;
}

}  // namespace perennial

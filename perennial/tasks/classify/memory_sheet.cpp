#include "perennial/tasks/classify/memory_sheet.h"

#include <algorithm>
#include <unordered_map>

#include "perennial/io/image.h"

namespace perennial {
namespace {

constexpr int64_t kLargestTile = 48;

// One row of uint8 [N, C, H, W] as RGB of side `tile`.
std::vector<uint8_t> thumbnail(const at::Tensor& images, int64_t row, int64_t tile) {
  const at::Tensor one = images.select(0, row).contiguous();
  Image image{one.size(0), one.size(1), one.size(2), {}};
  image.pixels.assign(one.const_data_ptr<uint8_t>(), one.const_data_ptr<uint8_t>() + one.numel());
  if (image.height != tile || image.width != tile) image = resize_to_square(image, tile);
  return with_channels(image, 3).pixels;
}

}  // namespace

void MemorySheet::update(const Samples& memory, const Dataset* pictures) {
  const bool own = memory.has(column::kImage);
  if (own || (pictures != nullptr && pictures->input != column::kImage)) pictures = nullptr;
  if (tile_ == 0 && own) tile_ = std::min(kLargestTile, memory.tensor(column::kImage).size(2));
  if (tile_ == 0 && pictures != nullptr) tile_ = std::min(kLargestTile, pictures->input_shape().at(1));
  const size_t bytes = static_cast<size_t>(3 * tile_ * tile_);
  std::unordered_map<int64_t, int64_t> known, rows;
  for (size_t i = 0; i < ids_.size(); ++i) known[ids_[i]] = static_cast<int64_t>(i);
  if (pictures != nullptr)
    for (size_t i = 0; i < pictures->ids.size(); ++i) rows[pictures->ids[i]] = static_cast<int64_t>(i);
  std::vector<uint8_t> pixels(memory.ids().size() * bytes, 255);
  for (size_t i = 0; i < memory.ids().size(); ++i) {
    const auto place = pixels.begin() + static_cast<int64_t>(i * bytes);
    const int64_t id = memory.ids()[i];
    if (own) {
      const auto t = thumbnail(memory.tensor(column::kImage), static_cast<int64_t>(i), tile_);
      std::copy(t.begin(), t.end(), place);
    } else if (const auto row = rows.find(id); pictures != nullptr && row != rows.end()) {
      const auto t = thumbnail(pictures->input_rows(std::span(&row->second, 1)), 0, tile_);
      std::copy(t.begin(), t.end(), place);
    } else if (known.contains(id)) {
      std::copy_n(pixels_.begin() + known[id] * static_cast<int64_t>(bytes), bytes, place);
    }
  }
  ids_ = memory.ids();
  pixels_ = std::move(pixels);
}

Image MemorySheet::picture(int64_t most) const {
  const auto all = static_cast<int64_t>(ids_.size()), n = std::min(all, most);
  const int64_t rows = (n + kColumns - 1) / kColumns, width = kColumns * tile_, height = rows * tile_;
  Image sheet{3, height, width, std::vector<uint8_t>(static_cast<size_t>(3 * height * width), 255)};
  for (int64_t i = 0; i < n; ++i)
    for (int64_t c = 0; c < 3; ++c)
      for (int64_t y = 0; y < tile_; ++y)
        std::copy_n(
            pixels_.begin() + ((i * all / n * 3 + c) * tile_ + y) * tile_, tile_,
            sheet.pixels.begin() + (c * height + i / kColumns * tile_ + y) * width + i % kColumns * tile_);
  return sheet;
}

void MemorySheet::save(State& state, const std::string& prefix) const {
  state.put(prefix + "tile", tile_);
  state.put_ints(prefix + "ids", ids_);
  std::vector<int64_t> packed((pixels_.size() + 7) / 8, 0);
  if (!pixels_.empty()) std::copy(pixels_.begin(), pixels_.end(), reinterpret_cast<uint8_t*>(packed.data()));
  state.put_ints(prefix + "pixels", packed);
}

void MemorySheet::load(const State& state, const std::string& prefix) {
  tile_ = std::clamp<int64_t>(state.value<int64_t>(prefix + "tile"), 0, kLargestTile);
  ids_ = state.ints(prefix + "ids");
  const auto packed = state.ints(prefix + "pixels");
  pixels_.assign(ids_.size() * static_cast<size_t>(3 * tile_ * tile_), 255);
  std::copy_n(reinterpret_cast<const uint8_t*>(packed.data()),
              std::min(pixels_.size(), packed.size() * sizeof(int64_t)), pixels_.begin());
}

}  // namespace perennial

#include "perennial/data/lazy_images.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include "perennial/base/threads.h"
#include "perennial/io/image.h"

namespace perennial {
namespace {

// Decoded images that wait to be used: so many bytes, and so many of them.
constexpr int64_t kAheadBytes = int64_t{64} << 20, kAheadRows = 1024;

}  // namespace

/// Decoded rows that wait for their use, and the threads that decode them.
class LazyImages::Ahead {
 public:
  using Decode = std::function<void(int64_t row, uint8_t* out)>;
  struct Decoded {
    std::vector<uint8_t> pixels;
    std::exception_ptr error;
  };

  Ahead(Decode decode, int64_t row_bytes)
      : decode_(std::move(decode)),
        row_bytes_(static_cast<size_t>(row_bytes)),
        most_(static_cast<size_t>(std::clamp<int64_t>(kAheadBytes / row_bytes, 1, kAheadRows))) {}

  ~Ahead() {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (auto& worker : workers_) worker.request_stop();
    wake_.notify_all();
  }

  void expect(std::span<const int64_t> rows) {
    const std::unordered_set<int64_t> wanted(rows.begin(), rows.end());
    const std::lock_guard<std::mutex> lock(mutex_);
    std::erase_if(queue_, [&](int64_t row) { return !wanted.contains(row); });
    std::erase_if(ready_, [&](const auto& entry) { return !wanted.contains(entry.first); });
    std::unordered_set<int64_t> known(queue_.begin(), queue_.end());
    for (const int64_t row : rows) {
      if (queue_.size() + running_.size() + ready_.size() >= most_) break;
      if (!running_.contains(row) && !ready_.contains(row) && known.insert(row).second) queue_.push_back(row);
    }
    while (workers_.size() < static_cast<size_t>(thread_count()))
      workers_.emplace_back([this](const std::stop_token& stop) { work(stop); });
    wake_.notify_all();
  }

  /// Row `row` if somebody has decoded it or is about to; else the caller is to do it.
  bool take(int64_t row, Decoded& out) {
    std::unique_lock<std::mutex> lock(mutex_);
    std::erase(queue_, row);
    done_.wait(lock, [&] { return !running_.contains(row); });
    const auto found = ready_.find(row);
    if (found == ready_.end()) return false;
    out = std::move(found->second);
    ready_.erase(found);
    return true;
  }

 private:
  void work(const std::stop_token& stop) {
    for (;;) {
      int64_t row = 0;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return stop.stop_requested() || !queue_.empty(); });
        if (stop.stop_requested()) return;
        row = queue_.front();
        queue_.pop_front();
        running_.insert(row);
      }
      Decoded decoded;
      try {
        decoded.pixels.resize(row_bytes_);
        decode_(row, decoded.pixels.data());
      } catch (...) {
        decoded.error = std::current_exception();
      }
      const std::lock_guard<std::mutex> lock(mutex_);
      running_.erase(row);
      ready_[row] = std::move(decoded);
      done_.notify_all();
    }
  }

  Decode decode_;
  size_t row_bytes_, most_;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::deque<int64_t> queue_;
  std::unordered_set<int64_t> running_;
  std::unordered_map<int64_t, Decoded> ready_;
  std::vector<std::jthread> workers_;  // last: joined before the others go
};

LazyImages::LazyImages(std::vector<std::string> files, const ImageForm& form)
    : files_(std::move(files)), form_(form) {
  if ((form.channels != 1 && form.channels != 3) || form.side < 1)
    throw std::invalid_argument("images on demand: expected 1 or 3 channels and a side of at least 1");
  ahead_ = std::make_unique<Ahead>([this](int64_t row, uint8_t* out) { decode(row, out); },
                                   form.channels * form.side * form.side);
}

LazyImages::~LazyImages() = default;

void LazyImages::decode(int64_t row, uint8_t* out) const {
  const std::string& file = files_[static_cast<size_t>(row)];
  const Image image = decode_image(read_image_bytes(file), file, max_image_pixels(), form_.side);
  const Image square =
      perennial::with_channels(resize_to_square(image, form_.side, form_.stretch), form_.channels);
  std::copy(square.pixels.begin(), square.pixels.end(), out);
}

at::Tensor LazyImages::get(std::span<const int64_t> rows) const {
  const auto count = std::ssize(rows), bytes = form_.channels * form_.side * form_.side;
  for (const int64_t row : rows)
    if (row < 0 || row >= size())
      throw std::invalid_argument(fmt::format("images on demand: row {} of {}", row, size()));
  at::Tensor images = at::empty({count, form_.channels, form_.side, form_.side}, at::kByte);
  auto* out = images.mutable_data_ptr<uint8_t>();
  parallel_for(count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = rows[static_cast<size_t>(i)];
      Ahead::Decoded decoded;
      if (!ahead_->take(row, decoded)) {
        decode(row, out + i * bytes);
        continue;
      }
      if (decoded.error) std::rethrow_exception(decoded.error);
      std::copy(decoded.pixels.begin(), decoded.pixels.end(), out + i * bytes);
    }
  });
  return images;
}

void LazyImages::expect(std::span<const int64_t> rows) const { ahead_->expect(rows); }

std::shared_ptr<const LazyImages> LazyImages::only(std::span<const int64_t> rows) const {
  std::vector<std::string> files;
  for (const int64_t row : rows) files.push_back(files_.at(static_cast<size_t>(row)));
  return std::make_shared<LazyImages>(std::move(files), form_);
}

std::shared_ptr<const LazyImages> LazyImages::with_channels(int64_t channels) const {
  ImageForm form = form_;
  form.channels = channels;
  return std::make_shared<LazyImages>(files_, form);
}

}  // namespace perennial

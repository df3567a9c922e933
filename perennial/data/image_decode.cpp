#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/progress.h"
#include "perennial/base/random.h"
#include "perennial/base/threads.h"
#include "perennial/data/bad_files.h"
#include "perennial/data/image_list.h"
#include "perennial/data/sources.h"
#include "perennial/io/image.h"

namespace perennial {
namespace {

constexpr int64_t kLargestAsStored = 96, kUsualSide = 224;

/// The side that the options give, or the common side of small square images, or 224.
int64_t choose_side(const ImageList& list, const DataOptions& options) {
  if (options.size > 0) return options.size;
  constexpr int64_t kUnknown = 0, kMixed = -1, kMostLookedAt = 256;
  const auto files = std::ssize(list.entries);
  const int64_t looked_at = options.decode == "demand" ? std::min(files, kMostLookedAt) : files;
  std::atomic<int64_t> side{kUnknown};
  parallel_for(looked_at, 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end && side != kMixed; ++i) {
      const ImageSize size = read_image_size(list.entries[static_cast<size_t>(i * files / looked_at)].file);
      if (size.height == 0) continue;
      const bool small = size.height == size.width && size.height <= kLargestAsStored;
      int64_t seen = kUnknown;
      if (!small || (!side.compare_exchange_strong(seen, size.height) && seen != size.height)) side = kMixed;
    }
  });
  return side > 0 ? side.load() : kUsualSide;
}

/// Where each entry goes: its row in the train or the test part.
std::vector<int64_t> rows_of(const ImageList& list, int64_t& train, int64_t& test) {
  std::vector<int64_t> rows;
  for (const auto& entry : list.entries) rows.push_back(entry.test ? test++ : train++);
  return rows;
}

/// The decoding of one list: pictures go straight to their rows, failures are kept by entry.
class Decoding {
 public:
  Decoding(const ImageList& list, int64_t side, const DataOptions& options, Progress& progress)
      : list_(list),
        options_(options),
        progress_(progress),
        side_(side),
        errors_(list.entries.size()),
        ids_(list.entries.size()) {
    int64_t train = 0, test = 0;
    rows_ = rows_of(list, train, test);
    inputs_[0] = allocate_images(train, 3, side_, side_, options.memory_share);
    inputs_[1] = allocate_images(test, 3, side_, side_, options.memory_share);
  }

  void run() {
    const auto count = static_cast<int64_t>(list_.entries.size());
    const ProgressPart part(progress_, "decoding images", count);
    parallel_for(count, 1, [this](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end && !stopped_; ++i) decode(static_cast<size_t>(i));
    });
    if (progress_.stop_requested()) throw Interrupted{};
    if (!options_.skip_bad) throw_bad(errors_, "data.skip_bad = true lists such files and goes on");
  }

  /// The part with the failures left out.
  Dataset part(bool test) {
    Dataset set;
    set.name = list_.name;
    set.class_names = list_.class_names;
    auto* images = inputs_[test].mutable_data_ptr<uint8_t>();
    for (size_t i = 0; i < list_.entries.size(); ++i) {
      const ImageEntry& entry = list_.entries[i];
      if (entry.test != test || errors_[i]) continue;
      if (set.size() != rows_[i])
        std::copy_n(images + rows_[i] * row_bytes(), row_bytes(), images + set.size() * row_bytes());
      set.labels.push_back(entry.label);
      set.ids.push_back(ids_[i]);
      set.paths.push_back(entry.path);
    }
    set.inputs = inputs_[test].narrow(0, 0, set.size());
    return set;
  }

  std::vector<std::string> failures() const {
    std::vector<std::string> all;
    for (const auto& error : errors_)
      if (error) all.emplace_back(error->what());
    return all;
  }

 private:
  int64_t row_bytes() const { return 3 * side_ * side_; }

  void decode(size_t i) {
    const ImageEntry& entry = list_.entries[i];
    try {
      const std::string bytes = read_image_bytes(entry.file);
      const Image image = resize_to_square(
          decode_image(bytes, entry.file.string(), max_image_pixels(), side_), side_, options_.stretch);
      auto* out = inputs_[entry.test].mutable_data_ptr<uint8_t>() + rows_[i] * row_bytes();
      std::copy(image.pixels.begin(), image.pixels.end(), out);
      // The same picture under two names, and two pictures of one name in two folders, are samples of their
      // own.
      ids_[i] = static_cast<int64_t>(mix64(hash64(bytes), hash64(entry.path)) >> 1);
    } catch (const Error& error) {
      errors_[i].emplace(error);
    }
    const std::lock_guard<std::mutex> lock(progress_mutex_);
    progress_.advance(1);
    if (progress_.stop_requested()) stopped_ = true;
  }

  const ImageList& list_;
  const DataOptions& options_;
  Progress& progress_;
  std::mutex progress_mutex_;
  std::atomic<bool> stopped_{false};
  int64_t side_;
  std::vector<int64_t> rows_;
  std::vector<std::optional<Error>> errors_;
  std::vector<int64_t> ids_;
  at::Tensor inputs_[2];
};

void check_classes(const ImageList& list, const Dataset& train) {
  std::vector<int64_t> counts(list.class_names.size());
  for (const int64_t label : train.labels) ++counts[static_cast<size_t>(label)];
  for (size_t c = 0; c < counts.size(); ++c)
    if (counts[c] == 0)
      throw Error({"loading images", list.root.string(),
                   "at least one image to train on of class '" + list.class_names[c] + "'", "none"});
}

bool on_demand(const ImageList& list, int64_t side, const DataOptions& options) {
  if (options.decode != "auto" || options.skip_bad) return options.decode == "demand";
  const double bytes = 3.0 * static_cast<double>(side * side) * static_cast<double>(list.entries.size());
  return bytes > options.memory_share * static_cast<double>(physical_memory_bytes());
}

Dataset part_on_demand(const ImageList& list, bool test, int64_t side, const DataOptions& options) {
  Dataset set;
  set.name = list.name;
  set.class_names = list.class_names;
  std::vector<std::string> files;
  for (const ImageEntry& entry : list.entries) {
    if (entry.test != test) continue;
    files.push_back(entry.file.string());
    set.labels.push_back(entry.label);
    set.ids.push_back(file_id(entry.file, entry.path));
    set.paths.push_back(entry.path);
  }
  set.files = std::make_shared<LazyImages>(std::move(files), ImageForm{3, side, options.stretch});
  return set;
}

}  // namespace

int64_t file_id(const std::filesystem::path& file, const std::string& path) {
  std::error_code code;
  const auto bytes = static_cast<uint64_t>(std::filesystem::file_size(file, code));
  return static_cast<int64_t>(mix64(bytes, hash64(path)) >> 1);
}

DataSource decode_images(ImageList list, const DataOptions& options, Progress& progress) {
  require_utf8(list.class_names, options.source);
  const bool test_only = options.test_only && options.validate == 0;  // which is drawn from the training part
  const int64_t side = choose_side(list, options);
  if (test_only) std::erase_if(list.entries, [](const ImageEntry& entry) { return !entry.test; });
  DataSource source;
  if (on_demand(list, side, options)) {
    source = {part_on_demand(list, false, side, options),
              part_on_demand(list, true, side, options),
              list.split_note,
              {},
              list.left_out};
  } else {
    Decoding decoding(list, side, options, progress);
    decoding.run();
    source = {decoding.part(false), decoding.part(true), list.split_note, decoding.failures(), list.left_out};
  }
  if (!test_only) check_classes(list, source.train);
  return source;
}

}  // namespace perennial

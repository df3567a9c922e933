#include "perennial/data/stream.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "perennial/base/options.h"
#include "perennial/data/dataset.h"
#include "perennial/data/shortcut.h"
#include "perennial/data/stream_kind.h"

namespace perennial {
namespace {

// So many rows beyond those asked for are expected next.
constexpr int64_t kAhead = 4;

}  // namespace

void StreamOptions::bind(OptionTable& table) {
  table.section("");
  table.add("stream", kind,
            "disjoint | blurryM (blurry10) | iblurry-N-M (iblurry-50-10) | shuffled | recurring | "
            "splits:DIR");
  table.add("tasks", tasks, "tasks of the stream (the split files decide for splits:DIR)").range(1, 1e6);
  table.add("noise", noise, "wrong labels: none | sym:R | asym:R | file:F, with R from 0 to 1");
  table.add("shortcut", shortcut,
            "a sign of the class that a share of the training images bears: none | patch:R | border:R | "
            "background:R, with R from 0 to 1; tested on images without, with it and with another class's");
  table.section("stream.");
  table
      .add("flavour", flavour,
           "what blurry-M means: M % over the other tasks (paper), M % over all tasks as the "
           "released files have it (rm_files), or the released notebook's draws (rm_notebook)")
      .choices({"paper", "rm_files", "rm_notebook"})
      .released("rm_files");
  table.add("noise_pairs", noise_pairs,
            "asym: classes that are taken for each other, as in cat-dog,deer-horse, or one way, as in "
            "truck>automobile; cifar10: the usual one-way flips; empty: random pairs by seed");
  table.add(
      "file_order", file_order,
      "splits:DIR: samples arrive as the files list them (i-Blurry's mean their order; Rainbow Memory's "
      "are sorted); false: each task shuffled by seed");
  table.add("class_order", class_order,
            "class names in the order they arrive, comma-separated; empty: by seed");
  table.add("limit", limit, "at most this many samples in all, cut evenly from every task; 0: all")
      .range(0, 1e15);
  table.section("");
}

void StreamOptions::check() const {
  const StreamKind stream = StreamKind::parse(kind);
  const NoiseKind labels = NoiseKind::parse(noise);
  Shortcut::parse(shortcut);
  if (tasks < 1) throw std::invalid_argument(fmt::format("tasks: expected at least 1, found {}", tasks));
  if (flavour != "paper" && flavour != "rm_files" && flavour != "rm_notebook")
    throw std::invalid_argument(
        fmt::format("stream.flavour: expected paper, rm_files or rm_notebook, found '{}'", flavour));
  if (limit < 0)
    throw std::invalid_argument(fmt::format("stream.limit: expected 0 or more, found {}", limit));
  if (!noise_pairs.empty() && labels.form != NoiseKind::Form::kAsymmetric)
    throw std::invalid_argument("stream.noise_pairs needs noise asym:R");
  if (stream.form == StreamKind::Form::kSplits && labels.form != NoiseKind::Form::kNone)
    throw std::invalid_argument("noise: split files hold their own labels; use noise none with splits:DIR");
  if (file_order && stream.form != StreamKind::Form::kSplits)
    throw std::invalid_argument("stream.file_order needs the stream splits:DIR");
  if (stream.is_iblurry && flavour == "rm_notebook")
    throw std::invalid_argument("stream.flavour: rm_notebook exists for blurryM only, not for iblurry-N-M");
}

void Stream::grow(const std::shared_ptr<const Source>& source, std::vector<Task> tasks) {
  for (Task& task : tasks) {
    for (const int64_t row : task.rows)
      if (row < 0 || row >= source->size())
        throw std::invalid_argument(
            fmt::format("stream: row {} of a set of {} samples", row, source->size()));
    const int64_t begin = size(), end = begin + std::ssize(task.rows);
    parts_.push_back({source, std::move(task), begin, end});
  }
}

void Stream::grow_passed(int64_t samples) {
  if (position_ != size())
    throw std::invalid_argument("stream: a passed task behind one that has not passed");
  const int64_t begin = size();
  parts_.push_back({nullptr, {}, begin, begin + samples});
  position_ = size();
}

void Stream::seek(int64_t position) {
  if (position < 0 || position > size())
    throw std::invalid_argument(fmt::format("stream: position {} of {} samples", position, size()));
  for (const Part& part : parts_)
    if (!part.source && position < part.end)
      throw std::invalid_argument(fmt::format("stream: position {}, which has passed", position));
  position_ = position;
}

int64_t Stream::task() const {
  const auto next = std::upper_bound(parts_.begin(), parts_.end(), position_,
                                     [](int64_t position, const Part& part) { return position < part.end; });
  return std::max<int64_t>(0, std::min<int64_t>(next - parts_.begin(), tasks() - 1));
}

int64_t Stream::left_in_task() const {
  return finished() ? 0 : parts_[static_cast<size_t>(task())].end - position_;
}

Batch Stream::next(int64_t count) {
  if (count < 1) throw std::invalid_argument(fmt::format("stream: a batch of {} samples", count));
  Batch batch;
  batch.task = task();
  const int64_t taken = std::min(count, left_in_task());
  if (taken == 0) return batch;
  const Part& part = parts_[static_cast<size_t>(batch.task)];
  const std::span<const int64_t> left =
      std::span(part.task.rows).subspan(static_cast<size_t>(position_ - part.begin));
  batch.samples = part.source->get(left.first(static_cast<size_t>(taken)));
  const std::span<const int64_t> later = left.subspan(static_cast<size_t>(taken));
  part.source->expect(later.first(std::min(later.size(), static_cast<size_t>(kAhead * count))));
  position_ += taken;
  return batch;
}

}  // namespace perennial

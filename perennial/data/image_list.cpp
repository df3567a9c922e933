#include "perennial/data/image_list.h"

#include <atomic>
#include <optional>

#include <fmt/format.h>

#include "perennial/base/error.h"
#include "perennial/base/progress.h"
#include "perennial/base/random.h"
#include "perennial/base/threads.h"
#include "perennial/data/hold_out.h"
#include "perennial/data/sources.h"
#include "perennial/io/image.h"

namespace perennial {
namespace {

/// Nothing for a file that cannot be read or, if that is wanted, decoded.
std::optional<uint64_t> content_of(const ImageEntry& entry, bool decoded) {
  constexpr int64_t kSmall = 32;
  try {
    const std::string bytes = read_image_bytes(entry.file);
    if (decoded) decode_image(bytes, entry.path, max_image_pixels(), kSmall);
    return hash64(bytes);
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// By entry; nothing for a file that will be left out, or of which decoding will say what is wrong with it.
std::vector<std::optional<uint64_t>> contents_of(const ImageList& list, bool skip_bad, Progress& progress) {
  std::vector<std::optional<uint64_t>> contents(list.entries.size());
  std::atomic<bool> stopped{false};
  parallel_for(static_cast<int64_t>(contents.size()), 16, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end) && !stopped; ++i) {
      if (progress.stop_requested()) stopped = true;
      contents[i] = content_of(list.entries[i], skip_bad);
    }
  });
  if (stopped) throw Interrupted{};
  return contents;
}

}  // namespace

void hold_out(ImageList& list, const DataOptions& options, Progress& progress) {
  const double share = options.test_share;
  if (share <= 0) {
    list.split_note = "no test part (test_share is 0)";
    return;
  }
  const auto contents = contents_of(list, options.skip_bad, progress);
  std::vector<std::vector<size_t>> classes(list.class_names.size());
  for (size_t i = 0; i < list.entries.size(); ++i)
    if (contents[i]) classes[static_cast<size_t>(list.entries[i].label)].push_back(i);
  for (const auto& entries : classes) {
    std::vector<uint64_t> of_class;
    for (const size_t i : entries) of_class.push_back(*contents[i]);
    const auto out = held_out(of_class, share);
    for (size_t k = 0; k < entries.size(); ++k) list.entries[entries[k]].test = out[k];
  }
  list.split_note =
      fmt::format("hold-out: about {:.3g} % of each class, by hash of the content", 100 * share);
}

void choose_entries(ImageList& list, const DataOptions& options) {
  const auto chosen = chosen_classes(options, list.class_names);
  std::vector<int64_t> new_label(list.class_names.size(), -1);
  std::vector<std::string> names;
  for (const int64_t c : chosen) {
    new_label[static_cast<size_t>(c)] = static_cast<int64_t>(names.size());
    names.push_back(list.class_names[static_cast<size_t>(c)]);
  }
  std::vector<int64_t> taken(names.size());
  std::vector<ImageEntry> kept;
  for (ImageEntry& entry : list.entries) {
    entry.label = new_label[static_cast<size_t>(entry.label)];
    if (entry.label < 0) continue;
    if (!entry.test && options.limit > 0 && taken[static_cast<size_t>(entry.label)]++ >= options.limit)
      continue;
    kept.push_back(std::move(entry));
  }
  list.entries = std::move(kept);
  list.class_names = std::move(names);
}

}  // namespace perennial

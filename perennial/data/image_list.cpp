#include "perennial/data/image_list.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include "perennial/base/random.h"
#include "perennial/data/sources.h"

namespace perennial {
namespace {

constexpr uint64_t kHoldOutSeed = 0x686f6c646f7574;

uint64_t draw(const ImageEntry& entry) { return hash64(entry.path, kHoldOutSeed); }

void hold_out_class(std::vector<ImageEntry*>& entries, double share) {
  const double threshold = share * 0x1p64;
  for (ImageEntry* entry : entries) entry->test = static_cast<double>(draw(*entry)) < threshold;
  if (entries.size() < 2) {
    for (ImageEntry* entry : entries) entry->test = false;
    return;
  }
  const auto [lowest, highest] =
      std::minmax_element(entries.begin(), entries.end(),
                          [](const ImageEntry* a, const ImageEntry* b) { return draw(*a) < draw(*b); });
  (*lowest)->test = true;
  (*highest)->test = false;
}

}  // namespace

void hold_out(ImageList& list, double share) {
  if (share <= 0) {
    list.split_note = "no test part (test_share is 0)";
    return;
  }
  std::vector<std::vector<ImageEntry*>> classes(list.class_names.size());
  for (ImageEntry& entry : list.entries) classes[static_cast<size_t>(entry.label)].push_back(&entry);
  for (auto& entries : classes) hold_out_class(entries, share);
  list.split_note = fmt::format("hold-out: about {:.3g} % of each class, by hash of the path", 100 * share);
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

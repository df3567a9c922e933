#include "perennial/data/stream_picture.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "perennial/data/dataset.h"
#include "perennial/data/stream_composition.h"

namespace perennial {
namespace {

constexpr int64_t kRows = 40;
constexpr size_t kLongestName = 22;
constexpr std::array<const char*, 9> kBlocks{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

size_t characters(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

/// Cut or filled up to `columns` characters.
std::string fitted(const std::string& text, size_t columns) {
  const size_t length = characters(text);
  if (length <= columns) return text + std::string(columns - length, ' ');
  std::string out;
  size_t kept = 0;
  for (const char c : text) {
    if (begins_character(c) && ++kept == columns) break;
    out += c;
  }
  return out + "…";
}

/// A block for a share of a slice: none at all only for nothing at all.
const char* block(int64_t count, int64_t size, double largest) {
  if (count == 0 || size == 0 || largest == 0) return kBlocks[0];
  const double height = static_cast<double>(count) / static_cast<double>(size) / largest * 8;
  return kBlocks[static_cast<size_t>(std::clamp(std::lround(height), 1L, 8L))];
}

/// Where each slice is drawn: a bar stands between tasks that have several slices each.
struct Columns {
  std::vector<bool> bar_before;
  std::vector<size_t> at;

  explicit Columns(const StreamComposition& picture) {
    const bool bars = picture.slices.size() > 1 && picture.slices[0].task == picture.slices[1].task;
    for (size_t s = 0; s < picture.slices.size(); ++s) {
      bar_before.push_back(bars && s > 0 && picture.slices[s].task != picture.slices[s - 1].task);
      at.push_back(s == 0 ? 0 : at.back() + 1 + (bar_before.back() ? 1 : 0));
    }
  }
};

/// Texts under the first slice of their tasks, those that have room.
std::string captions(const StreamComposition& picture, const Columns& columns,
                     const std::vector<std::string>& texts) {
  std::string line;
  size_t used = 0;
  for (size_t s = 0; s < picture.slices.size(); ++s) {
    const auto task = static_cast<size_t>(picture.slices[s].task);
    if ((s > 0 && picture.slices[s - 1].task == picture.slices[s].task) || task >= texts.size()) continue;
    if (used > 0 && columns.at[s] < used + 1) continue;
    line += std::string(columns.at[s] - used, ' ') + texts[task];
    used = columns.at[s] + characters(texts[task]);
  }
  return line;
}

/// The longest of three ways to name the tasks that leaves room for all.
std::vector<std::string> task_names(size_t tasks, size_t slices) {
  std::vector<std::string> names;
  const bool roomy = tasks > 0 && slices / tasks >= characters(fmt::format("task {}", tasks - 1));
  for (size_t t = 0; t < tasks; ++t) names.push_back(fmt::format("{}{}", roomy ? "task " : "", t));
  return names;
}

std::string heading(const Dataset& dataset, const StreamComposition& picture, size_t tasks) {
  return fmt::format("{}: {} samples, {} classes, {} task{}\n", dataset.name, picture.samples,
                     dataset.class_names.size(), tasks, tasks == 1 ? "" : "s");
}

}  // namespace

std::string draw_stream(const Dataset& dataset, const std::vector<Task>& tasks, int width) {
  const StreamComposition names = compose(dataset, tasks, 1, kRows);
  size_t left = 7;
  for (const auto& row : names.rows) left = std::max(left, std::min(characters(row.name), kLongestName));
  const size_t right = fmt::format("{}", names.samples).size() + 1;
  const auto room = std::max<int64_t>(8, std::max(width, 40) - static_cast<int64_t>(left + right) - 1);
  const auto count = static_cast<int64_t>(tasks.size());
  const int64_t per_task = count == 0 ? 0 : std::min<int64_t>(24, (room + 1) / count - 1);
  const StreamComposition picture = compose(
      dataset, tasks, per_task > 1 ? per_task * count : std::min(room, std::max<int64_t>(1, count)), kRows);
  const Columns columns(picture);
  const double largest = picture.largest_share();

  std::string out = heading(dataset, picture, tasks.size());
  out += fitted("", left + 1) + captions(picture, columns, task_names(tasks.size(), picture.slices.size())) +
         "\n";
  for (const auto& row : picture.rows) {
    out += fitted(row.name, left) + " ";
    for (size_t s = 0; s < picture.slices.size(); ++s)
      out += std::string(columns.bar_before[s] ? "│" : "") +
             block(row.counts[s], picture.slices[s].size, largest);
    out += fmt::format("{:>{}}\n", row.total, right);
  }
  std::vector<std::string> sizes, wrong;
  for (size_t t = 0; t < tasks.size(); ++t) {
    sizes.push_back(fmt::format("{}", tasks[t].rows.size()));
    if (!picture.wrong.empty())
      wrong.push_back(fmt::format("{:.1f}%", tasks[t].rows.empty()
                                                 ? 0.0
                                                 : 100.0 * static_cast<double>(picture.wrong[t]) /
                                                       static_cast<double>(tasks[t].rows.size())));
  }
  out += fitted("samples", left + 1) + captions(picture, columns, sizes) + "\n";
  if (!wrong.empty()) out += fitted("wrong", left + 1) + captions(picture, columns, wrong) + "\n";
  return out + fmt::format("█ is {:.0f} % of a slice, ▁ a few samples, blank none\n", 100 * largest);
}

}  // namespace perennial

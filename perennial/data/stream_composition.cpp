#include "perennial/data/stream_composition.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "perennial/data/dataset.h"

namespace perennial {
namespace {

/// The first task about each class; `tasks.size()` for classes that no task is about.
std::vector<size_t> first_tasks(const std::vector<Task>& tasks, size_t classes) {
  std::vector<size_t> first(classes, tasks.size());
  for (size_t t = tasks.size(); t-- > 0;)
    for (const int64_t c : tasks[t].classes) first[static_cast<size_t>(c)] = t;
  return first;
}

std::vector<int64_t> class_counts(const Dataset& dataset, const std::vector<Task>& tasks) {
  std::vector<int64_t> counts(dataset.class_names.size());
  for (const Task& task : tasks)
    for (const int64_t row : task.rows)
      ++counts[static_cast<size_t>(dataset.labels[static_cast<size_t>(row)])];
  return counts;
}

/// The classes of the stream, in the order in which the tasks bring them.
std::vector<size_t> arrival_order(const std::vector<Task>& tasks, const std::vector<int64_t>& counts) {
  std::vector<size_t> order;
  std::vector<bool> seen(counts.size());
  const auto add = [&](size_t c) {
    if (counts[c] > 0 && !seen[c]) order.push_back(c);
    seen[c] = true;
  };
  for (const Task& task : tasks)
    for (const int64_t c : task.classes) add(static_cast<size_t>(c));
  for (size_t c = 0; c < counts.size(); ++c) add(c);
  return order;
}

std::string group_name(size_t task, size_t per_row, size_t tasks, int64_t classes) {
  const std::string what = fmt::format("{} class{}", classes, classes == 1 ? "" : "es");
  if (task >= tasks) return "other: " + what;
  const size_t last = std::min(task + per_row, tasks) - 1;
  return last == task ? fmt::format("task {}: {}", task, what)
                      : fmt::format("tasks {}-{}: {}", task, last, what);
}

/// Names the rows and says in which row each class is counted.
std::vector<size_t> make_rows(const Dataset& dataset, const std::vector<Task>& tasks, int64_t limit,
                              StreamComposition& out) {
  const auto order = arrival_order(tasks, class_counts(dataset, tasks));
  std::vector<size_t> row_of(dataset.class_names.size());
  if (static_cast<int64_t>(order.size()) <= limit) {
    for (const size_t c : order) {
      row_of[c] = out.rows.size();
      out.rows.push_back({dataset.class_names[c], {}, 0});
    }
    return row_of;
  }
  const auto first = first_tasks(tasks, row_of.size());
  const size_t per_row = (tasks.size() + static_cast<size_t>(limit)) / static_cast<size_t>(limit);
  std::map<size_t, int64_t> groups;
  for (const size_t c : order) ++groups[first[c] / per_row];
  std::map<size_t, size_t> rows;
  for (const auto& [group, count] : groups) {
    rows[group] = out.rows.size();
    out.rows.push_back({group_name(group * per_row, per_row, tasks.size(), count), {}, 0});
  }
  for (const size_t c : order) row_of[c] = rows[first[c] / per_row];
  return row_of;
}

/// Which slice each sample of each task lies in.
class Slicing {
 public:
  Slicing(const std::vector<Task>& tasks, int64_t slices)
      : tasks_(static_cast<int64_t>(tasks.size())),
        per_task_(slices / std::max<int64_t>(1, tasks_)),
        count_(per_task_ > 0 ? per_task_ * tasks_ : slices) {}

  size_t count() const { return static_cast<size_t>(count_); }
  size_t of(int64_t task, int64_t index, int64_t size) const {
    return static_cast<size_t>(per_task_ > 0 ? task * per_task_ + index * per_task_ / size
                                             : task * count_ / tasks_);
  }
  int64_t task(int64_t slice) const {
    return per_task_ > 0 ? slice / per_task_ : (slice * tasks_ + count_ - 1) / count_;
  }

 private:
  int64_t tasks_, per_task_, count_;
};

void count_wrong(const Dataset& dataset, const std::vector<Task>& tasks, StreamComposition& out) {
  if (dataset.true_labels.empty()) return;
  for (const Task& task : tasks)
    out.wrong.push_back(std::count_if(task.rows.begin(), task.rows.end(), [&](int64_t row) {
      return dataset.labels[static_cast<size_t>(row)] != dataset.true_labels[static_cast<size_t>(row)];
    }));
}

}  // namespace

double StreamComposition::largest_share() const {
  double most = 0;
  for (const Row& row : rows)
    for (size_t s = 0; s < slices.size(); ++s)
      if (slices[s].size > 0)
        most = std::max(most, static_cast<double>(row.counts[s]) / static_cast<double>(slices[s].size));
  return most;
}

StreamComposition compose(const Dataset& dataset, const std::vector<Task>& tasks, int64_t slices,
                          int64_t rows) {
  StreamComposition out;
  const auto row_of = make_rows(dataset, tasks, rows, out);
  const Slicing slicing(tasks, std::max<int64_t>(1, slices));
  out.slices.resize(slicing.count());
  for (size_t s = 0; s < out.slices.size(); ++s) out.slices[s].task = slicing.task(static_cast<int64_t>(s));
  for (auto& row : out.rows) row.counts.resize(out.slices.size());
  for (size_t t = 0; t < tasks.size(); ++t) {
    const auto size = static_cast<int64_t>(tasks[t].rows.size());
    for (int64_t i = 0; i < size; ++i) {
      const size_t s = slicing.of(static_cast<int64_t>(t), i, size);
      const int64_t label = dataset.labels[static_cast<size_t>(tasks[t].rows[static_cast<size_t>(i)])];
      auto& row = out.rows[row_of[static_cast<size_t>(label)]];
      ++row.counts[s], ++row.total, ++out.slices[s].size, ++out.samples;
    }
  }
  count_wrong(dataset, tasks, out);
  return out;
}

}  // namespace perennial

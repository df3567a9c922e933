#include <algorithm>
#include <span>
#include <stdexcept>

#include <fmt/format.h>

#include "perennial/base/random.h"
#include "perennial/base/text.h"
#include "perennial/data/dataset.h"
#include "perennial/data/split_files.h"
#include "perennial/data/stream.h"
#include "perennial/data/stream_kind.h"

namespace perennial {
namespace {

using Rows = std::vector<int64_t>;

/// The rows of each class, each class in an order of its own by seed.
std::vector<Rows> rows_by_class(const Dataset& dataset, uint64_t seed) {
  std::vector<Rows> rows(dataset.class_names.size());
  for (int64_t row = 0; row < dataset.size(); ++row) {
    const int64_t label = dataset.labels[static_cast<size_t>(row)];
    if (label < 0 || label >= static_cast<int64_t>(rows.size()))
      throw std::invalid_argument(
          fmt::format("row {} has label {}, but there are {} classes", row, label, rows.size()));
    rows[static_cast<size_t>(label)].push_back(row);
  }
  for (size_t c = 0; c < rows.size(); ++c) {
    Random random(seed, "class rows", 0, c);
    shuffle(rows[c], random);
  }
  return rows;
}

/// The classes that `text` names, each once.
Rows named_order(const std::string& text, const std::vector<std::string>& names) {
  Rows order;
  for (const std::string& name : split(text, ',')) {
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end())
      throw std::invalid_argument(
          fmt::format("stream.class_order: unknown class '{}'{}", name, suggestion(name, names)));
    const int64_t c = at - names.begin();
    if (std::find(order.begin(), order.end(), c) != order.end())
      throw std::invalid_argument(fmt::format("stream.class_order: '{}' is named twice", name));
    order.push_back(c);
  }
  return order;
}

/// The classes that have samples, in the order they arrive.
Rows class_order(const StreamOptions& options, uint64_t seed, const Dataset& dataset,
                 const std::vector<Rows>& rows) {
  Rows order = options.class_order.empty()
                   ? permutation(static_cast<int64_t>(rows.size()), Random(seed, "class order"))
                   : named_order(options.class_order, dataset.class_names);
  for (size_t c = 0; c < rows.size(); ++c)
    if (!rows[c].empty() && std::find(order.begin(), order.end(), static_cast<int64_t>(c)) == order.end())
      throw std::invalid_argument(
          fmt::format("stream.class_order: class '{}' is missing", dataset.class_names[c]));
  std::erase_if(order, [&](int64_t c) { return rows[static_cast<size_t>(c)].empty(); });
  return order;
}

/// Piece `index` of `pieces` nearly equal ones; the first get one more.
std::span<const int64_t> piece(const Rows& all, int64_t pieces, int64_t index) {
  const auto n = static_cast<int64_t>(all.size());
  const int64_t begin = index * (n / pieces) + std::min(index, n % pieces);
  return {all.data() + begin, static_cast<size_t>(n / pieces + (index < n % pieces ? 1 : 0))};
}

/// Hands out rows one by one to the named tasks in turn: counts differ by at most one.
void spread(std::span<const int64_t> rows, const std::vector<int64_t>& to, std::vector<Task>& tasks) {
  for (size_t i = 0; i < rows.size(); ++i)
    tasks[static_cast<size_t>(to[i % to.size()])].rows.push_back(rows[i]);
}

void append(std::span<const int64_t> rows, Task& task) {
  task.rows.insert(task.rows.end(), rows.begin(), rows.end());
}

void need_classes(size_t classes, int64_t needed, const StreamOptions& options) {
  if (static_cast<int64_t>(classes) < needed)
    throw std::invalid_argument(
        fmt::format("stream {}: {} tasks need at least {} classes with samples, found {}", options.kind,
                    options.tasks, needed, classes));
}

/// The tasks after `own`, in turn; `own` itself comes last when it is asked for.
std::vector<int64_t> following(int64_t own, int64_t tasks, bool with_own) {
  std::vector<int64_t> others;
  for (int64_t i = 1; i < tasks + (with_own ? 1 : 0); ++i) others.push_back((own + i) % tasks);
  return others;
}

/// What blurry classes share: M, where minors may go, and the seed.
struct Blur {
  int64_t minor;
  bool over_all;  ///< M % over all tasks (rm_files) rather than over the other ones (paper)
  uint64_t seed;
};

/// One blurry class: M % of its samples go to the named tasks, none twice. Counts differ by at most one; who
/// gets one more is drawn, so that no task is nearer to another.
void add_blurry(const Rows& rows, int64_t c, int64_t own, const Blur& blur, std::vector<Task>& tasks) {
  const auto n = static_cast<int64_t>(rows.size());
  auto to = following(own, static_cast<int64_t>(tasks.size()), blur.over_all);
  Random random(blur.seed, "minor tasks", 0, static_cast<uint64_t>(c));
  shuffle(to, random);
  const int64_t spilt = to.empty() ? 0 : (n * blur.minor + 50) / 100;
  spread({rows.data(), static_cast<size_t>(spilt)}, to, tasks);
  append({rows.data() + spilt, static_cast<size_t>(n - spilt)}, tasks[static_cast<size_t>(own)]);
}

/// One class as the notebook released with Rainbow Memory draws it: 90 % to its own task whatever M is, then
/// for each other task an independent draw of 10 % / (T - 1) of the class from what is left. Samples may
/// repeat or stay unused.
void add_notebook(const Rows& rows, int64_t own, int64_t c, uint64_t seed, std::vector<Task>& tasks) {
  const auto n = static_cast<int64_t>(rows.size());
  const int64_t kept = n * 9 / 10;
  append({rows.data(), static_cast<size_t>(kept)}, tasks[static_cast<size_t>(own)]);
  const auto others = following(own, static_cast<int64_t>(tasks.size()), false);
  for (const int64_t other : others) {
    Rows rest(rows.begin() + kept, rows.end());
    Random random(seed, "notebook draw", static_cast<uint64_t>(other), static_cast<uint64_t>(c));
    shuffle(rest, random);
    append({rest.data(), static_cast<size_t>(n / 10 / static_cast<int64_t>(others.size()))},
           tasks[static_cast<size_t>(other)]);
  }
}

/// disjoint, blurryM: the classes in order, cut into consecutive groups.
std::vector<Task> grouped(const StreamOptions& options, const StreamKind& kind, uint64_t seed,
                          const std::vector<Rows>& rows, const Rows& order) {
  need_classes(order.size(), options.tasks, options);
  std::vector<Task> tasks(static_cast<size_t>(options.tasks));
  const Blur blur{kind.minor, options.flavour == "rm_files", seed};
  const bool notebook = options.flavour == "rm_notebook" && kind.form == StreamKind::Form::kBlurry;
  for (int64_t t = 0; t < options.tasks; ++t)
    for (const int64_t c : piece(order, options.tasks, t)) {
      tasks[static_cast<size_t>(t)].classes.push_back(c);
      const Rows& own = rows[static_cast<size_t>(c)];
      if (notebook)
        add_notebook(own, t, c, seed, tasks);
      else
        add_blurry(own, c, t, blur, tasks);
    }
  return tasks;
}

/// iblurry-N-M (Koh et al. 2022): the first N % of the classes are disjoint, the others blurry with M %
/// minor. Classes are dealt to the tasks in turn, as in the split files of i-Blurry.
std::vector<Task> iblurry(const StreamOptions& options, const StreamKind& kind, uint64_t seed,
                          const std::vector<Rows>& rows, const Rows& order) {
  need_classes(order.size(), options.tasks, options);
  std::vector<Task> tasks(static_cast<size_t>(options.tasks));
  const size_t disjoint = (order.size() * static_cast<size_t>(kind.disjoint) + 50) / 100;
  for (size_t i = 0; i < order.size(); ++i) {
    const auto own = static_cast<int64_t>(i % tasks.size());
    tasks[static_cast<size_t>(own)].classes.push_back(order[i]);
    const Blur blur{i < disjoint ? 0 : kind.minor, options.flavour == "rm_files", seed};
    add_blurry(rows[static_cast<size_t>(order[i])], order[i], own, blur, tasks);
  }
  return tasks;
}

/// shuffled: one random order of everything, cut into equal parts.
std::vector<Task> shuffled(const StreamOptions& options, uint64_t seed, const Dataset& dataset,
                           const Rows& order) {
  if (dataset.size() < options.tasks)
    throw std::invalid_argument(fmt::format("stream shuffled: {} tasks need as many samples, found {}",
                                            options.tasks, dataset.size()));
  std::vector<Task> tasks(static_cast<size_t>(options.tasks));
  const Rows all = permutation(dataset.size(), Random(seed, "shuffled stream"));
  for (int64_t t = 0; t < options.tasks; ++t) {
    append(piece(all, options.tasks, t), tasks[static_cast<size_t>(t)]);
    tasks[static_cast<size_t>(t)].classes = order;
  }
  return tasks;
}

/// recurring: G = ceil(T / 2) disjoint groups of classes; task t brings group t mod G, so that each group
/// comes back once (the last one does not when T is odd). A class's samples are shared out evenly over its
/// visits.
std::vector<Task> recurring(const StreamOptions& options, const std::vector<Rows>& rows, const Rows& order) {
  const int64_t groups = (options.tasks + 1) / 2;
  need_classes(order.size(), groups, options);
  std::vector<Task> tasks(static_cast<size_t>(options.tasks));
  for (int64_t g = 0; g < groups; ++g) {
    std::vector<int64_t> visits;
    for (int64_t t = g; t < options.tasks; t += groups) visits.push_back(t);
    for (const int64_t c : piece(order, groups, g)) {
      for (const int64_t t : visits) tasks[static_cast<size_t>(t)].classes.push_back(c);
      spread(rows[static_cast<size_t>(c)], visits, tasks);
    }
  }
  return tasks;
}

/// Shortens every task in the same proportion, to `limit` samples in all.
void cut(std::vector<Task>& tasks, int64_t limit) {
  int64_t total = 0;
  for (const Task& task : tasks) total += static_cast<int64_t>(task.rows.size());
  if (limit <= 0 || total <= limit) return;
  int64_t before = 0;
  const auto share = [&](int64_t count) {
    return static_cast<int64_t>(
        static_cast<double>(count) / static_cast<double>(total) * static_cast<double>(limit) + 0.5);
  };
  for (Task& task : tasks) {
    const int64_t after = before + static_cast<int64_t>(task.rows.size());
    task.rows.resize(static_cast<size_t>(share(after) - share(before)));
    before = after;
  }
}

std::vector<Task> build(const StreamOptions& options, const StreamKind& kind, uint64_t seed,
                        const Dataset& dataset) {
  const std::vector<Rows> rows = rows_by_class(dataset, seed);
  const Rows order = class_order(options, seed, dataset, rows);
  if (kind.form == StreamKind::Form::kShuffled) return shuffled(options, seed, dataset, order);
  if (kind.form == StreamKind::Form::kRecurring) return recurring(options, rows, order);
  if (kind.is_iblurry) return iblurry(options, kind, seed, rows, order);
  return grouped(options, kind, seed, rows, order);
}

}  // namespace

std::vector<Task> make_tasks(const StreamOptions& options, uint64_t seed, const Dataset& dataset) {
  options.check();
  const StreamKind kind = StreamKind::parse(options.kind);
  std::vector<Task> tasks;
  if (kind.form == StreamKind::Form::kSplits) {
    Dataset relabelled = dataset;
    tasks = read_split_files(kind.path, relabelled);
  } else {
    tasks = build(options, kind, seed, dataset);
  }
  for (size_t t = 0; t < tasks.size() && !options.file_order; ++t) {
    Random random(seed, "task rows", 0, t);
    shuffle(tasks[t].rows, random);
  }
  cut(tasks, options.limit);
  return tasks;
}

}  // namespace perennial

#include "perennial/report/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/text.h"
#include "perennial/report/json_value.h"

namespace perennial::report {
namespace {

constexpr int64_t kConfigLimit = int64_t{1} << 20;
constexpr size_t kMaxTasks = 10000, kMaxClasses = 100000;

std::vector<std::string> read_texts(const Value& value, size_t most) {
  std::vector<std::string> out;
  for (const Value& item : value.items(most)) out.push_back(item.required_text());
  return out;
}

std::vector<double> read_row(const Value& value, double high, size_t most) {
  std::vector<double> out;
  for (const Value& item : value.items(most)) out.push_back(item.or_unknown(0, high));
  return out;
}

/// Rows of one length.
Table read_table(const Value& value, double high, size_t most_rows, size_t most_columns) {
  Table out;
  for (const Value& row : value.items(most_rows)) {
    out.push_back(read_row(row, high, most_columns));
    if (out.back().size() != out.front().size())
      row.fail(fmt::format("an array of {}, as the rows before", out.front().size()));
  }
  return out;
}

std::vector<CurvePoint> read_curve(const Value& value, const std::string& headline) {
  std::vector<CurvePoint> out;
  for (const Value& item : value.items()) {
    CurvePoint point;
    point.samples = item.at("samples").whole(0, int64_t{1} << 53);
    point.accuracy = item.at(headline).or_unknown(0, 1);
    if (item.at("task").given()) point.task = item.at("task").whole(0, kMaxTasks);
    point.per_task = read_row(item.at("per_task"), 1, kMaxTasks);
    if (!out.empty() && point.samples < out.back().samples)
      item.at("samples").fail("no less than the one before");
    out.push_back(std::move(point));
  }
  return out;
}

std::vector<BestEpoch> read_best_epochs(const Value& value, const std::string& headline) {
  std::vector<BestEpoch> out;
  for (const Value& item : value.items(kMaxTasks))
    out.push_back({item.at("task").whole(0, kMaxTasks), item.at("epoch").whole(0, int64_t{1} << 40),
                   item.at("epochs").whole(0, int64_t{1} << 40), item.at(headline).or_unknown(0, 1)});
  return out;
}

std::vector<MemoryEntry> read_entries(const Value& value) {
  std::vector<MemoryEntry> out;
  for (const Value& item : value.items()) {
    MemoryEntry entry;
    const Value truth = item.at("true_label");
    if (item.at("id").given())
      entry.id =
          item.at("id").whole(std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max());
    entry.label = item.at("label").whole(0, kMaxClasses - 1);
    if (truth.given()) entry.true_label = truth.whole(0, kMaxClasses - 1);
    entry.uncertainty = item.at("uncertainty").maybe(-kHuge, kHuge);
    entry.verdict = item.at("verdict").text();
    out.push_back(entry);
  }
  return out;
}

std::optional<Sheet> read_sheet(const Value& value) {
  if (!value.given()) return std::nullopt;
  const Sheet sheet{value.at("file").required_text(), value.at("tile").whole(1, 4096),
                    value.at("columns").whole(1, 100000)};
  const std::filesystem::path name = sheet.file;
  if (name.empty() || name != name.filename() || name == "." || name == "..")
    value.at("file").fail("the name of a file inside the run");
  return sheet;
}

std::vector<std::pair<std::string, double>> read_pairs(const Value& value, double high) {
  std::vector<std::pair<std::string, double>> out;
  for (const auto& [name, item] : value.members()) out.emplace_back(name, item.or_unknown(0, high));
  return out;
}

std::vector<UpdateRecord> read_updates(const Value& value, const std::string& headline) {
  std::vector<UpdateRecord> out;
  for (const Value& item : value.items())
    out.push_back({item.at("data").text(), read_texts(item.at("classes_added"), kMaxClasses),
                   item.at("samples").maybe(0, kHuge), item.at(headline).maybe(0, 1),
                   item.at("seconds").maybe(0, kHuge)});
  return out;
}

void read_what(const Value& root, RunMetrics& m) {
  m.learner = root.at("learner").required_text();
  m.learner_title = root.at("learner_title").text();
  m.paper = root.at("paper").text();
  m.data = root.at("data").required_text();
  m.stream = root.at("stream").text();
  m.model = root.at("model").text();
  m.version = root.at("version").text();
  m.seed = root.at("seed").whole(std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max());
  m.finished = root.at("finished").flag();
  const std::string task = root.at("task").text();
  if (root.at("headline").given())
    m.headline = root.at("headline").required_text();
  else if (task == "segment")
    m.headline = "foreground_iou";  // earlier versions had words of their own for mattes
  for (const auto& [name, value] : root.at("scores").members())
    m.scores.emplace_back(name, value.maybe(-1, 1));
  m.class_names = read_texts(root.at("class_names"), kMaxClasses);
}

void read_accuracies(const Value& root, RunMetrics& m) {
  m.a_last = root.at(root.at("a_last").given() ? "a_last" : m.headline).maybe(0, 1);
  m.a_avg = root.at("a_avg").maybe(0, 1);
  m.f_last = root.at("f_last").maybe(-1, 1);
  m.i_last = root.at("i_last").maybe(-1, 1);
  m.a_auc = root.at("a_auc").maybe(0, 1);
  m.accuracy_matrix = read_table(root.at(m.headline + "_matrix"), 1, kMaxTasks, kMaxTasks);
  m.task_accuracy = read_row(root.at("task_" + m.headline), 1, kMaxTasks);
  m.task_samples = read_row(root.at("task_samples"), kHuge, kMaxTasks);
  m.per_class = read_pairs(root.at("per_class"), 1);
  m.confusion = read_table(root.at("confusion"), kHuge, kMaxClasses, kMaxClasses);
  if (!m.confusion.empty() && m.confusion.size() != m.confusion[0].size())
    root.at("confusion").fail("as many rows as columns");
  m.curve = read_curve(root.at("curve"), m.headline);
  for (const Value& point : root.at("curve").items()) m.over_epochs |= point.at("loss").given();
  m.best_epoch = read_best_epochs(root.at("best_epoch"), m.headline);
}

void read_stream(const Value& root, RunMetrics& m) {
  for (const Value& item : root.at("task_classes").items(kMaxTasks))
    m.task_classes.push_back(read_texts(item, kMaxClasses));
  m.task_composition = read_table(root.at("task_composition"), kHuge, kMaxTasks, kMaxClasses);
  m.updates = read_updates(root.at("updates"), m.headline);
}

void read_memory(const Value& root, RunMetrics& m) {
  const Value memory = root.at("memory");
  const auto either = [&](const char* outer, const char* inner) {
    return root.at(outer).given() ? root.at(outer).maybe(0, kHuge) : memory.at(inner).maybe(0, kHuge);
  };
  m.memory_samples = either("memory_samples", "samples");
  m.memory_bytes = either("memory_bytes", "bytes");
  m.memory_capacity = memory.at("capacity").maybe(0, kHuge);
  m.memory_capacity_bytes = memory.at("capacity_bytes").maybe(0, kHuge);
  m.candidate_bytes = root.at("candidate_bytes").maybe(0, kHuge);
  m.entries = read_entries(memory.at("entries"));
  m.sheet = read_sheet(memory.at("sheet"));
  m.memory_purity = root.at("memory_purity").maybe(0, 1);
  for (const Value& item : root.at("memory_purity_history").items(kMaxTasks))
    m.memory_purity_history.push_back(item.or_unknown(0, 1));
  m.memory_history = read_table(root.at("memory_history"), kHuge, kMaxTasks, kMaxClasses);
}

void read_costs(const Value& root, RunMetrics& m) {
  m.samples_seen = root.at("samples_seen").maybe(0, kHuge);
  m.samples_per_second = root.at("samples_per_second").maybe(0, kHuge);
  m.wall_seconds = root.at("wall_seconds").maybe(0, kHuge);
  m.peak_rss_bytes = root.at("peak_rss_bytes").maybe(0, kHuge);
  m.test_evaluations = root.at("test_evaluations").maybe(0, kHuge);
  m.phases = read_pairs(root.at("phases"), kHuge);
}

/// 'rm'  # the method -> rm
std::string toml_value(const std::string& text) {
  const bool quoted = !text.empty() && (text.front() == '\'' || text.front() == '"');
  if (!quoted) return trim(text.substr(0, text.find('#')));
  return text.substr(1, text.find(text.front(), 1) - 1);
}

/// Keys and values of simple TOML lines, enough to tell in what two runs differ.
std::map<std::string, std::string> toml_keys(const std::string& text) {
  std::map<std::string, std::string> out;
  std::string section;
  for (const std::string& line : split(text, '\n')) {
    if (line.front() == '#') continue;
    const size_t equals = line.find('=');
    if (line.front() == '[' && line.back() == ']')
      section = line.substr(1, line.size() - 2) + ".";
    else if (equals != std::string::npos)
      out[section + trim(line.substr(0, equals))] = toml_value(trim(line.substr(equals + 1)));
  }
  return out;
}

}  // namespace

RunMetrics read_run_metrics(const std::filesystem::path& run) {
  const std::filesystem::path file = run / "metrics.json";
  const Json json = read_json(file);
  const Value root(file, &json, "");
  RunMetrics m;
  m.folder = run;
  read_what(root, m);
  read_accuracies(root, m);
  read_stream(root, m);
  read_memory(root, m);
  read_costs(root, m);
  if (std::filesystem::is_regular_file(run / "config.toml"))
    m.config = read_file(run / "config.toml", kConfigLimit);
  m.config_keys = toml_keys(m.config);
  return m;
}

std::string spaced(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

std::string RunMetrics::headline_name() const { return spaced(headline); }

int64_t RunMetrics::tasks() const {
  size_t most =
      std::max({task_accuracy.size(), task_composition.size(), task_classes.size(), accuracy_matrix.size()});
  if (!accuracy_matrix.empty()) most = std::max(most, accuracy_matrix[0].size());
  for (const CurvePoint& point : curve) most = std::max(most, point.per_task.size());
  return static_cast<int64_t>(most);
}

int64_t RunMetrics::tasks_done() const {
  const auto known = [](double a) { return std::isfinite(a); };
  const auto in_list = std::count_if(task_accuracy.begin(), task_accuracy.end(), known);
  const auto in_matrix = std::count_if(accuracy_matrix.begin(), accuracy_matrix.end(), [&](const auto& row) {
    return std::any_of(row.begin(), row.end(), known);
  });
  return std::max<int64_t>(in_list, in_matrix);
}

int64_t RunMetrics::classes() const {
  size_t most = std::max(class_names.size(), confusion.size());
  for (const Table* table : {&task_composition, &memory_history})
    if (!table->empty()) most = std::max(most, table->front().size());
  for (const MemoryEntry& e : entries) most = std::max<size_t>(most, static_cast<size_t>(e.label) + 1);
  return static_cast<int64_t>(most);
}

std::string RunMetrics::class_name(int64_t label) const {
  const auto i = static_cast<size_t>(label);
  return i < class_names.size() ? class_names[i] : fmt::format("class {}", label);
}

std::vector<double> RunMetrics::forgetting() const {
  if (accuracy_matrix.empty()) return {};
  size_t last = accuracy_matrix.size() - 1;
  const auto known = [](double a) { return std::isfinite(a); };
  while (last > 0 && std::none_of(accuracy_matrix[last].begin(), accuracy_matrix[last].end(), known)) --last;
  std::vector<double> out(accuracy_matrix[0].size(), kUnknown);
  for (size_t j = 0; j < out.size(); ++j) {
    double best = kUnknown;
    for (size_t t = 0; t < last; ++t) best = std::fmax(best, accuracy_matrix[t][j]);
    out[j] = best - accuracy_matrix[last][j];
  }
  return out;
}

std::vector<double> RunMetrics::task_ends() const {
  std::vector<double> ends = task_samples;
  double sum = 0;
  for (size_t t = 0; t < task_composition.size(); ++t) {
    for (const double count : task_composition[t]) sum += std::isfinite(count) ? count : 0;
    if (t >= ends.size()) ends.push_back(std::max(sum, ends.empty() ? 0 : ends.back()));
  }
  for (size_t i = 0; static_cast<int64_t>(ends.size()) < tasks_done() && i < curve.size(); ++i)
    if (i + 1 == curve.size() || curve[i + 1].task != curve[i].task)
      ends.push_back(static_cast<double>(curve[i].samples));
  while (ends.size() < std::max(task_accuracy.size(), accuracy_matrix.size()))
    ends.push_back(ends.empty() ? 1 : ends.back() + 1);
  return ends;
}

std::vector<std::pair<double, double>> RunMetrics::over_stream(std::optional<size_t> task) const {
  const auto of = [&](const std::vector<double>& row) { return *task < row.size() ? row[*task] : kUnknown; };
  std::vector<std::pair<double, double>> out;
  const std::vector<double> ends = task_ends();
  const size_t rows = task ? accuracy_matrix.size() : task_accuracy.size();
  size_t t = 0;
  const auto add_task = [&] {
    const std::pair<double, double> point(ends[t], task ? of(accuracy_matrix[t]) : task_accuracy[t]);
    const bool known =
        !out.empty() && out.back().first == point.first && std::abs(out.back().second - point.second) < 1e-9;
    if (!known) out.push_back(point);
    ++t;
  };
  for (const CurvePoint& p : curve) {
    while (t < rows && ends[t] < static_cast<double>(p.samples)) add_task();
    if (!task || !p.per_task.empty()) out.emplace_back(p.samples, task ? of(p.per_task) : p.accuracy);
  }
  while (t < rows) add_task();
  return out;
}

}  // namespace perennial::report

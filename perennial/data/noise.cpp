#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/random.h"
#include "perennial/base/text.h"
#include "perennial/data/dataset.h"
#include "perennial/data/split_files.h"
#include "perennial/data/stream.h"
#include "perennial/data/stream_kind.h"

namespace perennial {
namespace {

constexpr int64_t kLargestLabelFile = int64_t{1} << 30;

/// With probability `rate`, a uniformly random other class: each with rate / (C - 1).
void flip_symmetric(double rate, uint64_t seed, Dataset& dataset) {
  const auto classes = static_cast<uint32_t>(dataset.class_names.size());
  if (classes < 2) throw std::invalid_argument("noise sym: needs at least two classes");
  for (size_t i = 0; i < dataset.labels.size(); ++i) {
    Random random(seed, "symmetric noise", 0, static_cast<uint64_t>(dataset.ids[i]));
    if (!random.chance(static_cast<float>(rate))) continue;
    const int64_t other = random.below(classes - 1);
    dataset.labels[i] = other + (other >= dataset.labels[i] ? 1 : 0);
  }
}

/// With probability `rate`, the partner's class.
void flip_asymmetric(double rate, const std::vector<int64_t>& partners, uint64_t seed, Dataset& dataset) {
  for (size_t i = 0; i < dataset.labels.size(); ++i) {
    Random random(seed, "asymmetric noise", 0, static_cast<uint64_t>(dataset.ids[i]));
    if (random.chance(static_cast<float>(rate)))
      dataset.labels[i] = partners[static_cast<size_t>(dataset.labels[i])];
  }
}

/// The flips that papers on noisy labels call asymmetric on CIFAR-10 (Patrini et al., CVPR 2017).
constexpr const char* kCifar10Flips = "truck>automobile,bird>airplane,deer>horse,cat>dog,dog>cat";

/// "cat-dog" or, for one way, "cat>dog" as two classes. Names may hold the sign themselves: every place is
/// tried.
std::pair<int64_t, int64_t> parse_pair(const std::string& text, char sign,
                                       const std::vector<std::string>& names) {
  const auto index = [&](const std::string& name) {
    return std::find(names.begin(), names.end(), name) - names.begin();
  };
  std::vector<std::pair<int64_t, int64_t>> readings;
  for (auto at = text.find(sign); at != std::string::npos; at = text.find(sign, at + 1)) {
    const auto a = index(trim(text.substr(0, at))), b = index(trim(text.substr(at + 1)));
    const auto count = static_cast<std::ptrdiff_t>(names.size());
    if (a != count && b != count) readings.emplace_back(a, b);
  }
  if (readings.size() != 1 || readings[0].first == readings[0].second)
    throw std::invalid_argument(
        fmt::format("stream.noise_pairs: expected two different class names such as '{}{}{}', found '{}'",
                    names.empty() ? "cat" : names.front(), sign, names.empty() ? "dog" : names.back(), text));
  return readings[0];
}

/// Reads what a label file says; knows where it is for its errors.
class LabelFile {
 public:
  LabelFile(const std::string& path, const Dataset& dataset)
      : path_(path), text_(read_file(path, kLargestLabelFile)) {
    for (size_t c = 0; c < dataset.class_names.size(); ++c) {
      classes_.emplace(dataset.class_names[c], static_cast<int64_t>(c));
      if (whole_number(dataset.class_names[c]) >= 0) numbers_are_names_ = true;
    }
  }

  void apply(Dataset& dataset) {
    std::vector<std::string_view> lines = split_lines();
    const bool is_table = !lines.empty() && has_id(lines.front());
    if (is_table)
      apply_table(lines, dataset);
    else
      apply_list(lines, dataset);
  }

 private:
  /// -1 for what is no number from 0.
  static int64_t whole_number(std::string_view text) {
    int64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    return code == std::errc{} && end == text.data() + text.size() && value >= 0 ? value : -1;
  }

  static bool has_id(std::string_view line) {
    const std::string first = trim(line.substr(0, line.find(',')));
    return line.find(',') != std::string_view::npos && (first == "id" || whole_number(first) >= 0);
  }

  std::vector<std::string_view> split_lines() const {
    std::vector<std::string_view> lines;
    std::string_view rest = text_;
    while (!rest.empty()) {
      const auto end = std::min(rest.find('\n'), rest.size());
      lines.push_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    while (!lines.empty() && trim(lines.back()).empty()) lines.pop_back();
    return lines;
  }

  [[noreturn]] void refuse(size_t line, std::string expected, std::string_view found) const {
    throw Error({"reading labels", path_, fmt::format("{} in line {}", expected, line + 1),
                 fmt::format("'{}'", found.substr(0, 80))});
  }

  int64_t label(size_t line, std::string_view text) const {
    std::string name = trim(text);
    if (name.size() >= 2 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
    if (const auto at = classes_.find(name); at != classes_.end()) return at->second;
    const int64_t number = numbers_are_names_ ? -1 : whole_number(name);
    if (number < 0 || number >= static_cast<int64_t>(classes_.size()))
      refuse(line, "a class name or number", name);
    return number;
  }

  void apply_list(const std::vector<std::string_view>& lines, Dataset& dataset) const {
    if (lines.size() != dataset.labels.size())
      throw Error({"reading labels", path_,
                   fmt::format("{} lines, one for each sample, or id,label", dataset.size()),
                   fmt::format("{} lines", lines.size())});
    for (size_t i = 0; i < lines.size(); ++i) dataset.labels[i] = label(i, lines[i]);
  }

  void apply_table(const std::vector<std::string_view>& lines, Dataset& dataset) const {
    std::unordered_map<int64_t, size_t> rows;
    for (size_t i = 0; i < dataset.ids.size(); ++i) rows.emplace(dataset.ids[i], i);
    std::unordered_set<int64_t> seen;
    for (size_t i = trim(lines.front().substr(0, lines.front().find(','))) == "id" ? 1 : 0; i < lines.size();
         ++i) {
      const auto comma = std::min(lines[i].find(','), lines[i].size());
      const int64_t id = whole_number(trim(lines[i].substr(0, comma)));
      const auto at = rows.find(id);
      if (comma == lines[i].size() || at == rows.end())
        refuse(i, "the id of a sample, then its label", lines[i]);
      if (!seen.insert(id).second) refuse(i, "each id once", lines[i]);
      dataset.labels[at->second] = label(i, lines[i].substr(comma + 1));
    }
  }

  std::string path_, text_;
  std::unordered_map<std::string, int64_t> classes_;
  bool numbers_are_names_ = false;
};

}  // namespace

std::vector<int64_t> noise_partners(const std::string& pairs, uint64_t seed,
                                    const std::vector<std::string>& class_names) {
  std::vector<int64_t> partner(class_names.size());
  for (size_t c = 0; c < partner.size(); ++c) partner[c] = static_cast<int64_t>(c);
  const auto join_pair = [&](int64_t a, int64_t b) {
    partner[static_cast<size_t>(a)] = b, partner[static_cast<size_t>(b)] = a;
  };
  if (pairs.empty()) {
    const auto order = permutation(static_cast<int64_t>(class_names.size()), Random(seed, "noise pairs"));
    for (size_t i = 0; i + 1 < order.size(); i += 2) join_pair(order[i], order[i + 1]);
    return partner;
  }
  for (const std::string& text : split(pairs == "cifar10" ? kCifar10Flips : pairs, ',')) {
    const bool one_way = text.find('>') != std::string::npos;
    const auto [a, b] = parse_pair(text, one_way ? '>' : '-', class_names);
    if (one_way && partner[static_cast<size_t>(a)] == a) {
      partner[static_cast<size_t>(a)] = b;
      continue;
    }
    if (one_way)
      throw std::invalid_argument(
          fmt::format("stream.noise_pairs: '{}' has a flip already", text.substr(0, text.find('>'))));
    if (partner[static_cast<size_t>(a)] != a || partner[static_cast<size_t>(b)] != b)
      throw std::invalid_argument(fmt::format("stream.noise_pairs: a class of '{}' is in two pairs", text));
    join_pair(a, b);
  }
  return partner;
}

void apply_noise(const StreamOptions& options, uint64_t seed, Dataset& dataset) {
  options.check();
  if (const StreamKind kind = StreamKind::parse(options.kind); kind.form == StreamKind::Form::kSplits) {
    read_split_files(kind.path, dataset);
    return;
  }
  const NoiseKind noise = NoiseKind::parse(options.noise);
  if (noise.form == NoiseKind::Form::kNone) return;
  for (const int64_t label : dataset.labels)
    if (label < 0 || label >= static_cast<int64_t>(dataset.class_names.size()))
      throw std::invalid_argument(
          fmt::format("noise: label {} of {} classes", label, dataset.class_names.size()));
  Dataset changed = dataset;
  if (changed.true_labels.empty()) changed.true_labels = changed.labels;
  if (noise.form == NoiseKind::Form::kSymmetric) flip_symmetric(noise.rate, seed, changed);
  if (noise.form == NoiseKind::Form::kAsymmetric)
    flip_asymmetric(noise.rate, noise_partners(options.noise_pairs, seed, dataset.class_names), seed,
                    changed);
  if (noise.form == NoiseKind::Form::kFile) LabelFile(noise.path, dataset).apply(changed);
  dataset = std::move(changed);
}

}  // namespace perennial

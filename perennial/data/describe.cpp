#include "perennial/data/describe.h"

#include <algorithm>

#include <fmt/format.h>

#include "perennial/base/bytes.h"
#include "perennial/data/dataset.h"

namespace perennial {
namespace {

constexpr size_t kSkippedShown = 20;

std::string form(const Dataset& set) {
  if (set.size() == 0) return "nothing";
  const auto shape = set.input_shape();
  if (set.input != column::kImage) return fmt::format("{} of {} values", set.input, shape[0]);
  return fmt::format("{}x{} {}", shape[2], shape[1], shape[0] == 1 ? "grey" : "RGB");
}

std::string part(const char* name, const Dataset& set) {
  std::string line = fmt::format("{:<8}{:>9} samples  {}  {}\n", name, set.size(), form(set),
                                 set.files ? "decoded on demand" : format_bytes(set.input_bytes()));
  if (set.true_labels.empty()) return line;
  int64_t wrong = 0;
  for (size_t i = 0; i < set.labels.size(); ++i) wrong += set.labels[i] != set.true_labels[i] ? 1 : 0;
  return line + fmt::format("{:<8}{:>9} labels wrong ({:.1f} %)\n", "", wrong,
                            100.0 * static_cast<double>(wrong) /
                                static_cast<double>(std::max<int64_t>(1, set.size())));
}

}  // namespace

std::vector<int64_t> class_counts(const Dataset& dataset) {
  std::vector<int64_t> counts(dataset.class_names.size());
  for (const int64_t label : dataset.labels) ++counts.at(static_cast<size_t>(label));
  return counts;
}

std::string describe(const DataSource& source) {
  std::string out = fmt::format("{}: {} classes\n", source.train.name, source.train.class_names.size());
  out += part("train", source.train) + part("test", source.test);
  if (!source.split_note.empty()) out += source.split_note + "\n";
  if (!source.left_out.empty()) out += source.left_out + "\n";
  size_t longest = 5;
  for (const auto& name : source.train.class_names) longest = std::max(longest, name.size());
  const auto train = class_counts(source.train), test = class_counts(source.test);
  out += fmt::format("\n{:<{}}{:>9}{:>9}\n", "class", longest, "train", "test");
  for (size_t c = 0; c < train.size(); ++c)
    out += fmt::format("{:<{}}{:>9}{:>9}\n", source.train.class_names[c], longest, train[c],
                       c < test.size() ? test[c] : 0);
  if (source.skipped.empty()) return out;
  out += fmt::format("\nskipped {} files:\n", source.skipped.size());
  for (size_t i = 0; i < std::min(kSkippedShown, source.skipped.size()); ++i)
    out += "  " + source.skipped[i] + "\n";
  if (source.skipped.size() > kSkippedShown)
    out += fmt::format("  and {} more\n", source.skipped.size() - kSkippedShown);
  return out;
}

}  // namespace perennial

#include <algorithm>
#include <array>
#include <set>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/text.h"
#include "perennial/data/binary_records.h"
#include "perennial/data/sources.h"
#include "perennial/io/gzip.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxBytes = int64_t{1} << 31;
constexpr int64_t kMaxSide = 1024;

/// A set in the form of MNIST: how its files are named, and what its labels mean.
struct IdxSet {
  std::string prefix, test_word = "t10k";  ///< PREFIXtrain-images-idx3-ubyte, PREFIXt10k-...
  std::string name = "mnist";
  std::string classes = "0123456789";
  int64_t first_label = 0;
  bool transposed = false;  ///< EMNIST's images are stored column by column
};

const std::string kDigits = "0123456789", kCapitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

IdxSet emnist(const std::string& part) {
  IdxSet set{"emnist-" + part + "-", "test", "emnist-" + part, kDigits, 0, true};
  if (part == "letters") set.classes = kCapitals, set.first_label = 1;
  if (part == "balanced" || part == "bymerge") set.classes += kCapitals + "abdefghnqrt";
  if (part == "byclass") set.classes += kCapitals + lower(kCapitals);
  return set;
}

/// The file of that stem ("train-images", 3): with - or . before idx, plain or packed. Empty when there is
/// none.
fs::path find_file(const fs::path& folder, const std::string& stem, int dimensions) {
  const std::string ending = "idx" + std::to_string(dimensions) + "-ubyte";
  for (const char* place : {"", "MNIST/raw", "EMNIST/raw", "raw", "gzip"})
    for (const char* separator : {"-", "."})
      for (const char* packed : {"", ".gz"})
        if (const fs::path path = folder / place / (stem + separator + ending + packed);
            fs::is_regular_file(path))
          return path;
  return {};
}

fs::path need_file(const fs::path& folder, const std::string& stem, int dimensions) {
  if (fs::path path = find_file(folder, stem, dimensions); !path.empty()) return path;
  throw Error({"reading MNIST", folder.string(),
               stem + "-idx" + std::to_string(dimensions) + "-ubyte (or .gz) in it",
               fs::is_directory(folder) ? "no such file" : "no such folder"});
}

std::string read_unpacked(const fs::path& path) {
  std::string bytes = read_file(path, kMaxBytes);
  return is_gzip(bytes) ? gunzip(bytes, path.string(), kMaxBytes) : bytes;
}

std::vector<int64_t> read_labels(const fs::path& path) {
  const std::string bytes = read_unpacked(path);
  const Idx idx = parse_idx(bytes, 1, path.string());
  std::vector<int64_t> labels;
  for (const char c : idx.data) labels.push_back(static_cast<unsigned char>(c));
  return labels;
}

/// EMNIST's letters may have MNIST's names: their labels are all of 1 to 26.
bool are_letters(const fs::path& folder) {
  const fs::path path = find_file(folder, "train-labels", 1);
  if (path.empty()) return false;
  const auto labels = read_labels(path);
  const std::set<int64_t> all(labels.begin(), labels.end());
  return all.size() == kCapitals.size() && *all.begin() == 1 && *all.rbegin() == 26;
}

/// The set that a folder holds, or that FOLDER/emnist-PART names.
IdxSet find_set(fs::path& folder) {
  std::vector<std::string> found;
  for (const char* part : {"letters", "byclass", "bymerge", "balanced", "digits", "mnist"}) {
    const IdxSet set = emnist(part);
    if (!fs::exists(folder) && folder.filename() == set.name) {
      folder = folder.parent_path();
      return set;
    }
    if (!find_file(folder, set.prefix + "train-images", 3).empty()) found.emplace_back(part);
  }
  if (found.empty() || !find_file(folder, "train-images", 3).empty()) {
    IdxSet set;
    if (are_letters(folder)) {
      set = emnist("letters");
      set.prefix.clear(), set.test_word = "t10k";
    }
    return set;
  }
  if (found.size() == 1) return emnist(found[0]);
  throw Error({"reading MNIST", folder.string(),
               "one set, or its name behind the folder: " + folder.string() + "/emnist-" + found[0],
               "emnist-" + join(found, ", emnist-")});
}

void check_labels(std::vector<int64_t>& labels, const IdxSet& set, const fs::path& path) {
  const int64_t first = set.first_label, last = first + static_cast<int64_t>(set.classes.size()) - 1;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < first || labels[i] > last)
      throw Error({"reading MNIST", path.string(),
                   "labels " + std::to_string(first) + " to " + std::to_string(last),
                   "label " + std::to_string(labels[i]) + " at offset " + std::to_string(i + 8)});
    labels[i] -= first;
  }
}

void copy_images(const Idx& idx, bool transposed, uint8_t* out) {
  if (!transposed) {
    std::copy(idx.data.begin(), idx.data.end(), out);
    return;
  }
  const auto rows = static_cast<size_t>(idx.shape[1]), columns = static_cast<size_t>(idx.shape[2]);
  for (size_t image = 0; image < idx.data.size(); image += rows * columns)
    for (size_t x = 0; x < columns; ++x)
      for (size_t y = 0; y < rows; ++y) *out++ = static_cast<uint8_t>(idx.data[image + y * columns + x]);
}

Dataset read_part(const fs::path& folder, const IdxSet& form, const std::string& part, int64_t first_id,
                  double memory_share) {
  const fs::path path = need_file(folder, form.prefix + part + "-images", 3);
  const fs::path label_path = need_file(folder, form.prefix + part + "-labels", 1);
  Dataset set;
  set.labels = read_labels(label_path);
  check_labels(set.labels, form, label_path);
  const std::string bytes = read_unpacked(path);
  const Idx idx = parse_idx(bytes, 3, path.string());
  const auto count = std::ssize(set.labels);
  if (idx.shape[0] != count)
    throw Error({"reading MNIST", path.string(), std::to_string(count) + " images, one per label",
                 std::to_string(idx.shape[0])});
  if (std::max(idx.shape[1], idx.shape[2]) > kMaxSide)
    throw Error({"reading MNIST", path.string(), "sides up to " + std::to_string(kMaxSide) + " pixels",
                 std::to_string(idx.shape[1]) + " x " + std::to_string(idx.shape[2])});
  const int64_t height = idx.shape[form.transposed ? 2 : 1], width = idx.shape[form.transposed ? 1 : 2];
  set.inputs = allocate_images(idx.shape[0], 1, height, width, memory_share);
  copy_images(idx, form.transposed, set.inputs.mutable_data_ptr<uint8_t>());
  for (int64_t i = 0; i < count; ++i) set.ids.push_back(first_id + i);
  set.name = form.name;
  set.is_digits = true;  // or letters: what is mirrored is another
  set.normalisation = {{0.1307, 0.1307, 0.1307}, {0.3081, 0.3081, 0.3081}};
  if (form.transposed) set.normalisation = {{0.1736, 0.1736, 0.1736}, {0.3317, 0.3317, 0.3317}};
  for (const char c : form.classes) set.class_names.emplace_back(1, c);
  return set;
}

}  // namespace

DataSource load_mnist(const fs::path& place, const DataOptions& options) {
  fs::path folder = place;
  const IdxSet form = find_set(folder);
  DataSource source;
  source.train = read_part(folder, form, "train", 0, options.memory_share);
  source.test = read_part(folder, form, form.test_word, source.train.size(), options.memory_share);
  if (source.train.input_shape() != source.test.input_shape())
    throw Error({"reading MNIST", folder.string(), "train and test images of one size", "two sizes"});
  source.split_note = "the test files of the set";
  return source;
}

}  // namespace perennial

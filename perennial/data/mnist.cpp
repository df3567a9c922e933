#include <algorithm>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/data/binary_records.h"
#include "perennial/data/sources.h"
#include "perennial/io/gzip.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxBytes = int64_t{1} << 31;
constexpr int64_t kMaxSide = 1024;
constexpr int64_t kClasses = 10;

/// The file of that stem ("train-images", 3): with - or . before idx, plain or packed, here or in MNIST/raw/.
fs::path find_file(const fs::path& folder, const std::string& stem, int dimensions) {
  const std::string ending = "idx" + std::to_string(dimensions) + "-ubyte";
  for (const fs::path& place : {folder, folder / "MNIST" / "raw", folder / "raw"})
    for (const char* separator : {"-", "."})
      for (const char* packed : {"", ".gz"})
        if (const fs::path path = place / (stem + separator + ending + packed); fs::is_regular_file(path))
          return path;
  throw Error({"reading MNIST", folder.string(), stem + "-" + ending + " (or .gz) in it",
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
  for (const char c : idx.data) {
    labels.push_back(static_cast<unsigned char>(c));
    if (labels.back() >= kClasses)
      throw Error(
          {"reading MNIST", path.string(), "labels 0 to 9",
           "label " + std::to_string(labels.back()) + " at offset " + std::to_string(labels.size() + 7)});
  }
  return labels;
}

Dataset read_part(const fs::path& folder, const std::string& stem, int64_t first_id, double memory_share) {
  const fs::path path = find_file(folder, stem + "-images", 3);
  Dataset set;
  set.labels = read_labels(find_file(folder, stem + "-labels", 1));
  const std::string bytes = read_unpacked(path);
  const Idx idx = parse_idx(bytes, 3, path.string());
  if (idx.shape[0] != set.size())
    throw Error({"reading MNIST", path.string(), std::to_string(set.size()) + " images, one per label",
                 std::to_string(idx.shape[0])});
  if (std::max(idx.shape[1], idx.shape[2]) > kMaxSide)
    throw Error({"reading MNIST", path.string(), "sides up to " + std::to_string(kMaxSide) + " pixels",
                 std::to_string(idx.shape[1]) + " x " + std::to_string(idx.shape[2])});
  set.inputs = allocate_images(idx.shape[0], 1, idx.shape[1], idx.shape[2], memory_share);
  std::copy(idx.data.begin(), idx.data.end(), set.inputs.mutable_data_ptr<uint8_t>());
  for (int64_t i = 0; i < set.size(); ++i) set.ids.push_back(first_id + i);
  set.name = "mnist";
  set.is_digits = true;
  set.normalisation = {{0.1307, 0.1307, 0.1307}, {0.3081, 0.3081, 0.3081}};
  for (int64_t c = 0; c < kClasses; ++c) set.class_names.push_back(std::to_string(c));
  return set;
}

}  // namespace

DataSource load_mnist(const fs::path& folder, const DataOptions& options) {
  DataSource source;
  source.train = read_part(folder, "train", 0, options.memory_share);
  source.test = read_part(folder, "t10k", source.train.size(), options.memory_share);
  if (source.train.inputs.sizes().slice(1) != source.test.inputs.sizes().slice(1))
    throw Error({"reading MNIST", folder.string(), "train and test images of one size", "two sizes"});
  source.split_note = "the test files of the set";
  return source;
}

}  // namespace perennial

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include <fmt/format.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/text.h"
#include "perennial/base/threads.h"
#include "perennial/data/dataset.h"
#include "perennial/data/image_csv.h"
#include "perennial/data/image_list.h"
#include "perennial/io/image_files.h"
#include "perennial/io/safetensors.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kUsualSide = 224, kMaxCsvBytes = int64_t{1} << 30;

/// Files by their paths under a root.
Dataset pool_of(const fs::path& root, std::vector<std::string> paths, const DataOptions& options) {
  Dataset pool;
  pool.paths = std::move(paths);
  std::vector<std::string> files(pool.paths.size());
  pool.ids.resize(files.size());
  parallel_for(std::ssize(files), 256, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      files[i] = (root / pool.paths[i]).string();
      pool.ids[i] = file_id(files[i], pool.paths[i]);
    }
  });
  pool.files = std::make_shared<LazyImages>(
      std::move(files), ImageForm{3, options.size > 0 ? options.size : kUsualSide, options.stretch});
  return pool;
}

Dataset listed_pool(const fs::path& file, const DataOptions& options) {
  std::vector<std::string> paths = parse_image_paths(read_file(file, kMaxCsvBytes), file.string());
  for (std::string& path : paths) path = fs::path(path).lexically_normal().generic_string();
  std::vector<std::string> sorted = paths;
  std::sort(sorted.begin(), sorted.end());
  if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end())
    throw Error({"opening a pool", file.string(), "each path once", *twice + " twice"});
  if (paths.empty()) throw Error({"opening a pool", file.string(), "paths of images", "none"});
  Dataset pool = pool_of(file.parent_path(), std::move(paths), options);
  pool.name = file.stem().string();
  return pool;
}

Dataset feature_pool(const fs::path& file) {
  const TensorFile read = read_safetensors(file);
  const auto found = read.tensors.find("features");
  const bool sound = found != read.tensors.end() && found->second.dim() == 2 &&
                     found->second.is_floating_point() && found->second.size(0) > 0 &&
                     found->second.size(1) > 0;
  if (!sound)
    throw Error(
        {"opening a pool", file.string(), "features [samples, values], float or half",
         found == read.tensors.end() ? "no tensor of that name" : "a tensor of another shape or kind"});
  Dataset pool;
  pool.name = file.stem().string();
  pool.input = column::kVector;
  pool.inputs = found->second.to(at::kFloat);
  pool.ids.resize(static_cast<size_t>(pool.inputs.size(0)));
  std::iota(pool.ids.begin(), pool.ids.end(), int64_t{0});
  for (const int64_t id : pool.ids) pool.paths.push_back(std::to_string(id));
  return pool;
}

}  // namespace

Dataset open_pool(const std::filesystem::path& folder, const DataOptions& options) {
  const FoundImages found = images_in(folder);
  if (found.files.empty()) throw Error({"opening a pool", folder.string(), "images in it", "none"});
  const std::string root = (folder / "").string();
  std::vector<std::string> paths(found.files.size());
  for (size_t i = 0; i < paths.size(); ++i) paths[i] = found.files[i].string().substr(root.size());
  Dataset pool = pool_of(folder, std::move(paths), options);
  pool.name = folder.filename().string();
  return pool;
}

Dataset load_pool(const DataOptions& options) {
  const size_t colon = options.source.find(':');
  const std::string kind = options.source.substr(0, colon);
  const fs::path place = colon == std::string::npos ? "" : options.source.substr(colon + 1);
  if (colon != std::string::npos && !place.empty()) {
    if (kind == "folder") return open_pool(place, options);
    if (kind == "csv") return listed_pool(place, options);
    if (kind == "features") return feature_pool(place);
  }
  throw std::invalid_argument(
      fmt::format("POOL: expected folder:DIR, csv:FILE or features:FILE, found '{}'", options.source));
}

}  // namespace perennial

#include "perennial/base/error.h"
#include "perennial/data/dataset.h"
#include "perennial/data/image_list.h"
#include "perennial/io/image_files.h"

namespace perennial {

Dataset open_pool(const std::filesystem::path& folder, const DataOptions& options) {
  constexpr int64_t kUsualSide = 224;
  const FoundImages found = images_in(folder);
  if (found.files.empty()) throw Error({"opening a pool", folder.string(), "images in it", "none"});
  Dataset pool;
  pool.name = folder.filename().string();
  std::vector<std::string> files;
  for (const auto& file : found.files) {
    files.push_back(file.string());
    pool.paths.push_back(file.lexically_relative(folder).generic_string());
    pool.ids.push_back(file_id(file, pool.paths.back()));
  }
  pool.files = std::make_shared<LazyImages>(
      std::move(files), ImageForm{3, options.size > 0 ? options.size : kUsualSide, options.stretch});
  return pool;
}

}  // namespace perennial

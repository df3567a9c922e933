#include "perennial/base/error.h"
#include "perennial/base/threads.h"
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
  const std::string root = (folder / "").string();
  const size_t count = found.files.size();
  std::vector<std::string> files(count);
  pool.paths.resize(count);
  pool.ids.resize(count);
  parallel_for(static_cast<int64_t>(count), 256, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      files[i] = found.files[i].string();
      pool.paths[i] = files[i].substr(root.size());
      pool.ids[i] = file_id(found.files[i], pool.paths[i]);
    }
  });
  pool.files = std::make_shared<LazyImages>(
      std::move(files), ImageForm{3, options.size > 0 ? options.size : kUsualSide, options.stretch});
  return pool;
}

}  // namespace perennial

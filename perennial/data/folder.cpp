#include <algorithm>
#include <system_error>

#include "perennial/base/error.h"
#include "perennial/base/text.h"
#include "perennial/data/image_list.h"
#include "perennial/data/sources.h"
#include "perennial/io/image.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLayout =
    "train/<class>/ and optionally test/<class>/, or <class>/ directly, holding .jpg, .jpeg or .png files";

[[noreturn]] void bad_layout(const fs::path& folder, const std::string& found) {
  throw Error({"loading a folder", folder.string(), kLayout, found});
}

bool hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

std::vector<std::string> subfolders(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_directory() && !hidden(entry.path())) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

/// The images below a class folder, sorted by path.
std::vector<fs::path> images_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (auto it = fs::recursive_directory_iterator(folder); it != fs::recursive_directory_iterator(); ++it) {
    if (hidden(it->path())) {
      it.disable_recursion_pending();
    } else if (is_image_name(it->path()) && it->is_regular_file()) {
      files.push_back(it->path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

void add_class(ImageList& list, const fs::path& part, int64_t label, bool test) {
  const fs::path folder = part / list.class_names[static_cast<size_t>(label)];
  if (!fs::is_directory(folder)) return;
  for (const fs::path& file : images_below(folder))
    list.entries.push_back({file, file.lexically_relative(list.root).generic_string(), label, test});
}

/// Classes of test/ that train/ lacks would never be learnt.
void check_test_classes(const fs::path& root, const std::vector<std::string>& known) {
  for (const auto& name : subfolders(root / "test"))
    if (!std::binary_search(known.begin(), known.end(), name))
      bad_layout(root, "test/" + name + "/ without train/" + name + "/");
}

ImageList scan(const fs::path& root, const DataOptions& options) {
  const bool divided = fs::is_directory(root / "train"),
             has_test = divided && fs::is_directory(root / "test");
  const fs::path part = divided ? root / "train" : root;
  if (!divided && fs::is_directory(root / "test")) bad_layout(root, "test/ without train/");
  const auto names = subfolders(part);
  if (names.empty()) bad_layout(root, "no folder in " + (divided ? std::string("train/") : "it"));
  if (has_test) check_test_classes(root, names);

  ImageList list;
  list.root = root;
  list.name = root.filename().string();
  for (const int64_t c : chosen_classes(options, names))
    list.class_names.push_back(names[static_cast<size_t>(c)]);
  for (int64_t c = 0; c < static_cast<int64_t>(list.class_names.size()); ++c) {
    const size_t before = list.entries.size();
    add_class(list, part, c, false);
    if (list.entries.size() == before)
      bad_layout(root, "class '" + list.class_names[static_cast<size_t>(c)] + "' without an image");
    if (has_test) add_class(list, root / "test", c, true);
  }
  if (has_test)
    list.split_note = "the folder's own test/";
  else
    hold_out(list, options.test_share);
  return list;
}

}  // namespace

DataSource load_folder(const fs::path& folder, const DataOptions& options, Progress& progress) {
  ImageList list;
  try {
    // Without a trailing slash and dots, so that the folder has a name and paths are relative to it.
    fs::path root = fs::absolute(folder).lexically_normal();
    if (!root.has_filename()) root = root.parent_path();
    if (!fs::is_directory(root)) bad_layout(folder, fs::exists(root) ? "a file" : "no such folder");
    list = scan(root, options);
  } catch (const fs::filesystem_error& error) {
    throw Error({"loading a folder", error.path1().string(), "a readable folder", error.code().message()});
  }
  choose_entries(list, options);
  return decode_images(list, options, progress);
}

}  // namespace perennial

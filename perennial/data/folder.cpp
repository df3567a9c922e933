#include <algorithm>
#include <map>

#include "perennial/base/error.h"
#include "perennial/base/progress.h"
#include "perennial/base/text.h"
#include "perennial/data/image_list.h"
#include "perennial/data/sources.h"
#include "perennial/data/split_name.h"
#include "perennial/io/image_files.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLayout =
    "train/<class>/ and optionally test/<class>/ or val/<class>/, or <class>/ directly, holding images (.jpg "
    ".png "
    ".webp ...)";

[[noreturn]] void bad_layout(const fs::path& folder, const std::string& found) {
  throw Error({"loading a folder", folder.string(), kLayout, found});
}

/// The folders of a root: those that name a part of the set, as they are spelled, and the others.
struct Layout {
  std::map<SplitName, std::string> parts;
  std::vector<std::string> others;

  bool divided() const { return parts.contains(SplitName::kTrain); }
};

Layout layout_of(const fs::path& root) {
  Layout layout;
  for (const auto& name : folders_in(root)) {
    const auto part = split_name(name);
    if (!part) {
      layout.others.push_back(name);
    } else if (const auto [at, fresh] = layout.parts.emplace(*part, name); !fresh) {
      bad_layout(root, at->second + "/ and " + name + "/, which name the same part");
    }
  }
  if (!layout.divided() && !layout.parts.empty())
    bad_layout(root, layout.parts.begin()->second + "/ without train/");
  return layout;
}

class Scan {
 public:
  Scan(const fs::path& root, const DataOptions& options, Progress& progress)
      : root_(root), layout_(layout_of(root)), options_(options), progress_(progress) {}

  ImageList list() && {
    const fs::path train = layout_.divided() ? root_ / layout_.parts.at(SplitName::kTrain) : root_;
    const auto names = layout_.divided() ? folders_in(train) : layout_.others;
    if (names.empty()) no_class(train);
    list_.root = root_;
    list_.name = root_.filename().string();
    for (const int64_t c : chosen_classes(options_, names))
      list_.class_names.push_back(names[static_cast<size_t>(c)]);
    add_part(train, false);
    if (layout_.divided()) note_broken_links(images_in(root_, Depth::kFolder));
    add_tested(names);
    if (layout_.divided())
      for (const auto& other : layout_.others)
        notes_.push_back(other + "/ (beside " + train.filename().string() + "/)");
    tell();
    return std::move(list_);
  }

 private:
  [[noreturn]] void no_class(const fs::path& train) const {
    const auto loose = images_in(train, Depth::kFolder).files.size();
    bad_layout(root_, "no folder in " +
                          (layout_.divided() ? train.filename().string() + "/" : std::string("it")) +
                          (loose > 0 ? ", " + std::to_string(loose) + " images" : ""));
  }

  void add_part(const fs::path& part, bool test) {
    const FoundImages loose = images_in(part, Depth::kFolder);
    if (!loose.files.empty())
      notes_.push_back(std::to_string(loose.files.size()) + " images (in no class's folder)");
    note_broken_links(loose);
    for (int64_t c = 0; c < static_cast<int64_t>(list_.class_names.size()); ++c) add_class(part, c, test);
  }

  void note_broken_links(const FoundImages& found) {
    if (const auto at = found.left_out.find("broken link"); at != found.left_out.end())
      notes_.push_back(std::to_string(at->second) + " broken links (beside the folders)");
  }

  void add_class(const fs::path& part, int64_t label, bool test) {
    const std::string& name = list_.class_names[static_cast<size_t>(label)];
    if (test && !fs::is_directory(part / name)) return;
    for (const auto& inside : folders_in(part / name))
      if (split_name(inside))
        bad_layout(root_,
                   "class '" + name + "' with a folder " + inside + "/ in it, which names a part of the set");
    FoundImages found = images_in(part / name);
    if (found.files.empty() && !test) {
      const std::string note = found.note();
      bad_layout(root_, "class '" + name + "' without an image" + (note.empty() ? "" : " (" + note + ")"));
    }
    for (const fs::path& file : found.files)
      list_.entries.push_back({file, file.lexically_relative(root_).generic_string(), label, test});
    found.files.clear();
    found_.add(std::move(found));
  }

  /// The folder's own test part, or the hold-out.
  void add_tested(const std::vector<std::string>& known) {
    const auto tested =
        tested_part(layout_.parts.contains(SplitName::kValidation), layout_.parts.contains(SplitName::kTest));
    if (!tested) return hold_out(list_, options_, progress_);
    const std::string& part = layout_.parts.at(*tested);
    // Classes that the training part lacks would never be learnt.
    for (const auto& name : folders_in(root_ / part))
      if (!std::binary_search(known.begin(), known.end(), name))
        bad_layout(root_,
                   part + "/" + name + "/ without " + layout_.parts.at(SplitName::kTrain) + "/" + name + "/");
    if (folders_in(root_ / part).empty()) bad_layout(root_, part + "/ without a class's folder in it");
    add_part(root_ / part, true);
    list_.split_note = "the folder's own " + part + "/";
    if (*tested == SplitName::kTest && layout_.parts.contains(SplitName::kValidation))
      notes_.push_back(layout_.parts.at(SplitName::kValidation) + "/ (" + part + "/ is tested on)");
  }

  void tell() {
    list_.left_out = found_.note();
    if (!notes_.empty())
      list_.left_out += (list_.left_out.empty() ? "" : "; ") + join(notes_, "; ") + " left out";
    if (!list_.left_out.empty()) progress_.note(root_.string() + ": " + list_.left_out);
  }

  const fs::path root_;
  const Layout layout_;
  const DataOptions& options_;
  Progress& progress_;
  ImageList list_;
  FoundImages found_;
  std::vector<std::string> notes_;
};

}  // namespace

DataSource load_folder(const fs::path& folder, const DataOptions& options, Progress& progress) {
  ImageList list;
  try {
    // Without a trailing slash and dots, so that the folder has a name and paths are relative to it.
    fs::path root = fs::absolute(folder).lexically_normal();
    if (!root.has_filename()) root = root.parent_path();
    if (!fs::is_directory(root)) bad_layout(folder, fs::exists(root) ? "a file" : "no such folder");
    list = Scan(root, options, progress).list();
  } catch (const fs::filesystem_error& error) {
    throw Error({"loading a folder", error.path1().string(), "a readable folder", error.code().message()});
  }
  choose_entries(list, options);
  return decode_images(list, options, progress);
}

}  // namespace perennial

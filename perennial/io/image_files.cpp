#include "perennial/io/image_files.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <system_error>
#include <unordered_set>

#include "perennial/base/error.h"
#include "perennial/base/outputs.h"
#include "perennial/base/text.h"
#include "perennial/io/image.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;

template <size_t N>
bool one_of(const std::array<std::string_view, N>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Files whose name does not tell, or tells of a format that is not read, may hold an image all the same.
bool name_may_mislead(const std::string& ending) {
  constexpr std::array<std::string_view, 12> kPictures{".heic", ".heif", ".avif", ".jxl", ".jp2", ".j2k",
                                                       ".psd",  ".svg",  ".ico",  ".ppm", ".pgm", ".apng"};
  return ending.empty() || one_of(kPictures, ending);
}

bool holds_image(const fs::path& path) {
  std::array<char, 64> head{};
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), head.size());
  return is_image({head.data(), static_cast<size_t>(file.gcount())});
}

/// The order of paths, without taking them apart: a separator comes before every other character.
bool by_components(const fs::path& a, const fs::path& b) {
  const auto rank = [](char c) { return c == '/' ? 0 : static_cast<int>(static_cast<unsigned char>(c)); };
  const std::string &left = a.native(), &right = b.native();
  return std::lexicographical_compare(left.begin(), left.end(), right.begin(), right.end(),
                                      [&](char x, char y) { return rank(x) < rank(y); });
}

class Walk {
 public:
  explicit Walk(Depth depth) : depth_(depth) {}

  FoundImages all(const fs::path& root) && {
    folder(root, fs::canonical(root));
    while (!links_.empty()) {
      std::vector<fs::path> links;
      links.swap(links_);
      std::sort(links.begin(), links.end());
      for (const fs::path& link : links) follow(link);
    }
    std::sort(found_.files.begin(), found_.files.end(), by_components);
    return std::move(found_);
  }

 private:
  void folder(const fs::path& path, const fs::path& real) {
    if (!seen_.insert(real.native()).second) return;
    for (const auto& entry : fs::directory_iterator(path)) {
      const fs::path name = entry.path().filename();
      if (is_passed_over(name.string())) continue;
      if (entry.is_symlink())
        links_.push_back(path / name);
      else
        any(path / name, real / name, entry.status());
    }
  }

  void follow(const fs::path& link) {
    std::error_code code;
    const fs::path real = fs::canonical(link, code);
    const fs::file_status status = code ? fs::file_status() : fs::status(real, code);
    if (code)
      ++found_.left_out["broken link"];
    else
      any(link, real, status);
  }

  void any(const fs::path& path, const fs::path& real, const fs::file_status& status) {
    if (fs::is_directory(status) && depth_ == Depth::kTree)
      folder(path, real);
    else if (fs::is_directory(status))
      ++found_.left_out["folder"];
    else if (!fs::is_regular_file(status))
      ++found_.left_out["special file"];
    else if (seen_.insert(real.native()).second)
      file(path);
  }

  void file(const fs::path& path) {
    const std::string ending = ending_of(path);
    if (is_image_name(path) || (name_may_mislead(ending) && holds_image(path)))
      found_.files.push_back(path);
    else
      ++found_.left_out[ending.empty() ? "extensionless file" : ending];
  }

  Depth depth_;
  FoundImages found_;
  std::unordered_set<std::string> seen_;
  std::vector<fs::path> links_;
};

[[noreturn]] void unreadable(const fs::filesystem_error& error) {
  throw Error({"looking for images", error.path1().string(), "a readable folder", error.code().message()});
}

}  // namespace

std::string FoundImages::note() const {
  constexpr size_t kMostKinds = 8;
  std::vector<std::pair<int64_t, std::string>> kinds;
  for (const auto& [kind, count] : left_out) kinds.emplace_back(-count, kind);
  std::sort(kinds.begin(), kinds.end());
  std::vector<std::string> pieces;
  int64_t others = 0;
  for (const auto& [negative, kind] : kinds) {
    const bool plural = negative < -1 && kind.front() != '.';
    if (pieces.size() < kMostKinds)
      pieces.push_back(std::to_string(-negative) + " " + kind + (plural ? "s" : ""));
    else
      others -= negative;
  }
  if (others > 0) pieces.push_back(std::to_string(others) + " others");
  return pieces.empty() ? "" : join(pieces, ", ") + " left out";
}

void FoundImages::add(FoundImages more) {
  files.insert(files.end(), std::make_move_iterator(more.files.begin()),
               std::make_move_iterator(more.files.end()));
  for (const auto& [kind, count] : more.left_out) left_out[kind] += count;
}

FoundImages images_in(const fs::path& folder, Depth depth) {
  try {
    return Walk(depth).all(folder);
  } catch (const fs::filesystem_error& error) {
    unreadable(error);
  }
}

FoundImages find_images(const std::vector<fs::path>& paths) {
  FoundImages found;
  for (const fs::path& path : paths) {
    std::error_code code;
    const fs::file_status status = fs::status(path, code);
    if (!fs::exists(status))
      throw Error({"looking for images", path.string(), "a file or a folder", "nothing"});
    if (!fs::is_directory(status)) {
      found.files.push_back(path);
      continue;
    }
    FoundImages inside = images_in(path);
    if (inside.files.empty()) {
      const std::string note = inside.note();
      throw Error({"looking for images", path.string(), "images (.jpg .png .webp ...) in the folder",
                   "none" + (note.empty() ? "" : " (" + note + ")")});
    }
    found.add(std::move(inside));
  }
  return found;
}

bool is_passed_over(const std::string& name) {
  constexpr std::array<std::string_view, 11> kSystems{"@eadir",
                                                      "@tmp",
                                                      "#recycle",
                                                      "#snapshot",
                                                      "__macosx",
                                                      "$recycle.bin",
                                                      "system volume information",
                                                      "lost+found",
                                                      "thumbs.db",
                                                      "ehthumbs.db",
                                                      "desktop.ini"};
  return name.empty() || name.front() == '.' || name == "Icon\r" || one_of(kSystems, lower(name));
}

std::vector<std::string> folders_in(const fs::path& folder) {
  std::vector<std::string> names;
  try {
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      std::error_code broken_link;
      if (!is_passed_over(name) && fs::is_directory(entry.path(), broken_link)) names.push_back(name);
    }
  } catch (const fs::filesystem_error& error) {
    unreadable(error);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace perennial

#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

// How every command finds images in folders. Names that begin with a dot and what systems put beside
// photographs
// (@eaDir, __MACOSX, Thumbs.db ...) are passed over. Links are followed; what they lead to counts once, under
// its own path before that of a link, so that a cycle of them ends.
namespace perennial {

struct FoundImages {
  std::vector<std::filesystem::path> files;  ///< sorted
  std::map<std::string, int64_t>
      left_out;  ///< files that are no images, by ending (".heic") or kind ("folder")

  /// "12 .heic, 3 .txt left out"; "" when nothing was.
  std::string note() const;
  /// Takes what another search found and left out.
  void add(FoundImages more);
};

enum class Depth { kFolder, kTree };  ///< the folder's own files, or those of its subfolders too

/// The images of a folder: files with the name of one (is_image_name), and files without an ending or with
/// that of a picture format (.heic ...) whose content is an image all the same. Throws Error for what cannot
/// be read.
FoundImages images_in(const std::filesystem::path& folder, Depth depth = Depth::kTree);

/// The images that `paths` name: files as they are, folders searched through. Throws Error for what is
/// missing and for a folder without images.
FoundImages find_images(const std::vector<std::filesystem::path>& paths);

/// True for a name that is passed over: nothing that is to be read again may have it.
bool is_passed_over(const std::string& name);

/// Names of the subfolders of a folder, sorted. Throws Error when it cannot be read.
std::vector<std::string> folders_in(const std::filesystem::path& folder);

}  // namespace perennial

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "perennial/io/image.h"

namespace perennial {

class Progress;

/// A photograph and its mask, at their own size.
struct Matte {
  std::string stem;           ///< file name without its ending
  int64_t id = 0;             ///< of the photograph's content and stem
  Image image;                ///< RGB
  std::vector<uint8_t> mask;  ///< [height, width], 1 is foreground
  uint64_t content = 0;       ///< hash of the photograph's file, for held_out()
};

struct MatteDataOptions {
  int64_t threshold = 127;  ///< foreground is grey above this (EG1800's masks: 200)
  bool skip_bad = false;    ///< note and leave out pairs that cannot be decoded
};

/// Loads `folder`/images/STEM.* with `folder`/masks/STEM.*, or, without these two folders, STEM.jpg with
/// STEM.png beside it; sorted by stem, decoded in parallel; what is left out is noted. Throws
/// std::invalid_argument for a threshold outside 0..254; Error names the file when an image lacks a mask or a
/// mask an image, two images share a stem, sizes differ, files cannot be decoded or no mask of all has
/// foreground. Throws Interrupted when
/// asked to stop.
std::vector<Matte> load_mattes(const std::filesystem::path& folder, const MatteDataOptions& options,
                               Progress& progress);

/// The photographs of such a folder, sorted by stem; masks need not be there. In a folder without images/ a
/// PNG that is alone with its stem is a photograph. Throws Error when there are none.
std::vector<std::filesystem::path> matte_photographs(const std::filesystem::path& folder);

}  // namespace perennial

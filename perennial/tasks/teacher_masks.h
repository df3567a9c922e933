#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "perennial/tasks/matte_runner.h"

namespace perennial {

class Progress;

struct TeacherOptions {
  double agreement = 0.9;  ///< least foreground IoU of the masks of the photograph and of its mirror image
  double least = 0.02, most = 0.95;  ///< share of the photograph that a person fills
};

/// What became of a photograph.
struct TeacherMask {
  std::filesystem::path photograph;
  double agreement = 0, area = 0;
  bool kept = false;
};

/// Masks for photographs without any, by a model that already makes good ones (Park et al., WACV 2020,
/// section 4.1, the second way of their data generation: a strong segmenter, then control of quality). For
/// each photograph that the teacher is sure of, `out`/images/NAME is a copy and `out`/masks/STEM.png the
/// mask: the mean of the mattes of the photograph and of its mirror image, cut at one half. A person's
/// control is replaced by their agreement; the paper's crop around a face is left out. Photographs already in
/// `out` are passed over, so that it can go on. Throws Error for a file that cannot be read or written,
/// Interrupted.
std::vector<TeacherMask> teacher_masks(MatteRunner& teacher,
                                       const std::vector<std::filesystem::path>& photographs,
                                       const std::filesystem::path& out, const TeacherOptions& options,
                                       Progress& progress);

}  // namespace perennial

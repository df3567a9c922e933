#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "perennial/tasks/segment/faces.h"
#include "perennial/tasks/segment/matte_runner.h"

namespace perennial {

class Progress;

struct PortraitOptions {
  double agreement = 0.9;            ///< least foreground IoU of what two looks at a photograph give
  double least = 0.02, most = 0.95;  ///< share of the portrait that a person fills
  std::optional<Faces> faces;  ///< portraits are head and shoulders around each; none: whole photographs
  int64_t least_face = 32;     ///< a face of fewer pixels' width is passed over
  double around = 3;           ///< width of a portrait, in faces
};

/// A mask of a part of a photograph.
struct PortraitMask {
  std::vector<uint8_t> mask;  ///< [height, width], 0 and 255
  double agreement = 1;
};

/// The mask of `box` of a photograph, which was read from `file`.
using MaskSource =
    std::function<PortraitMask(const std::filesystem::path& file, const Image& photograph, const Box& box)>;

/// What a model that already makes good mattes sees: the mean of the mattes of the part and of its mirror
/// image, cut at one half. A person's control of quality is replaced by the agreement of both.
MaskSource teacher_masks(MatteRunner& teacher);

/// Masks that are there already, `folder`/STEM.png of the photograph's size, 8 bits a channel and no alpha:
/// all that is not black is a person, so that labels of body parts are united.
MaskSource labelled_masks(const std::filesystem::path& folder);

/// Throws std::invalid_argument that names an option out of its range.
void check_portrait_options(const PortraitOptions& options);

enum class Verdict { kKept, kKeptBefore, kNoFace, kSmallFace, kFaceOutside, kDoubtful, kArea, kUnreadable };
/// "kept", "kept before", "no face", "small face", "face outside", "doubtful", "area", "unreadable".
const char* name_of(Verdict verdict);

/// What became of a photograph, or of a face in it.
struct Portrait {
  std::filesystem::path photograph;
  int64_t face = 0;  ///< counts from 1; 0 is the whole photograph
  Verdict verdict = Verdict::kKept;
  double agreement = 0, area = 0;  ///< where there is a mask
  std::string reason = {};         ///< what is wrong with an unreadable one

  bool kept() const { return verdict == Verdict::kKept || verdict == Verdict::kKeptBefore; }
};

/// Portraits with masks out of photographs, as the data of Park et al., WACV 2020, section 4.1, were made:
/// from bodies with labels of their parts, or from photographs without any by a strong segmenter, both
/// cropped around faces; the detector of faces is the user's. For each portrait whose mask is to be trusted,
/// `out`/images/NAME is a copy of the photograph, or NAME `STEM-FACE.png` the part of it, and
/// `out`/masks/STEM.png the mask. Portraits already in `out` stay as they are, so that it can go on; a
/// photograph that cannot be read, or its mask, stops no other. Throws std::invalid_argument for options out
/// of range; Error for a file that cannot be written, Interrupted.
std::vector<Portrait> make_portraits(const MaskSource& masks,
                                     const std::vector<std::filesystem::path>& photographs,
                                     const std::filesystem::path& out, const PortraitOptions& options,
                                     Progress& progress);

}  // namespace perennial

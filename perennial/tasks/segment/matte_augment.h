#pragma once

#include <span>
#include <vector>

#include "perennial/tasks/segment/matte_data.h"

namespace perennial {

/// Which steps of SINet's augmentation are taken, in this order (released code).
struct MatteAugmentation {
  bool warp = true;    ///< rotation within 45 degrees, scale 0.5 to 1.5 times what fits, centre moved by a
                       ///< quarter of the side; without it the image is stretched to the side
  bool flip = true;    ///< horizontal, p = 0.5
  bool colour = true;  ///< p = 0.5: saturation, brightness (0.4 to 1.6), contrast (0.6 to 1.4), sharpness
                       ///< (0.8 to 1.2), in steps of 0.1, as PIL's ImageEnhance
  bool blur = true;    ///< p = 0.5: Gaussian 30 %, median 30 %, box 40 %, of 3 or 5 pixels
  bool noise = true;   ///< p = 0.5: Gaussian with deviation 0 to 10
};

/// The mattes at `rows`, augmented to side x side: images uint8 [N, 3, side, side] (128 outside the
/// photograph), masks uint8 [N, side, side] (0 outside). A function of (seed, position, id of the matte),
/// whatever the number of threads; position counts the use (the training step or epoch). Throws
/// std::invalid_argument for a row or a side out of range.
MatteBatch augment_mattes(const std::vector<Matte>& mattes, std::span<const int64_t> rows, int64_t side,
                          const MatteAugmentation& what, uint64_t seed, uint64_t position);

}  // namespace perennial

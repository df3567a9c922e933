#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace perennial {

/// What the option "stream" says: disjoint | blurryM | iblurry-N-M | shuffled | recurring | splits:DIR.
struct StreamKind {
  enum class Form { kDisjoint, kBlurry, kShuffled, kRecurring, kSplits };
  Form form = Form::kDisjoint;
  int64_t disjoint = 0;  ///< per cent of the classes that stay in one task (blurry forms)
  int64_t minor = 0;     ///< per cent of the samples of a blurry class that arrive in other tasks
  bool is_iblurry = false;
  std::string path;  ///< of splits:DIR

  /// Throws std::invalid_argument that names what exists.
  static StreamKind parse(std::string_view text);
};

/// What the option "noise" says: none | sym:R | asym:R | file:F, with R in [0, 1].
struct NoiseKind {
  enum class Form { kNone, kSymmetric, kAsymmetric, kFile };
  Form form = Form::kNone;
  double rate = 0;
  std::string path;

  static NoiseKind parse(std::string_view text);
};

}  // namespace perennial

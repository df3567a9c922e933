#pragma once

#include <cstdint>
#include <string>

#include "perennial/data/dataset.h"

namespace perennial {

/// An easy sign of the class that training images bear and the world does not: a patch in the corner, a
/// border, or a background in the class's colour, on a share of the images.
struct Shortcut {
  enum class Form { kNone, kPatch, kBorder, kBackground };
  Form form = Form::kNone;
  double share = 0;

  /// "none" | "patch:0.95" | "border:0.95" | "background:0.95"; std::invalid_argument for anything else.
  static Shortcut parse(const std::string& text);
  bool there() const { return form != Form::kNone; }
};

/// Whose colour an image bears: its own class's, or that of another one.
enum class Bears { kOwn, kAnother };

/// The images with the shortcut painted on (three channels from then on); which of them bear it, and which
/// colour under kAnother, is a function of (seed, id). Patch: a quarter of the side, upper left. Border: an
/// eighth of the side. Background: of digits what is dark, else half of what lies outside the ellipse in the
/// middle. Throws Error unless the inputs are images in memory. `memory_share` as of allocate_images.
Dataset with_shortcut(Dataset set, const Shortcut& shortcut, Bears bears, uint64_t seed, double memory_share);

}  // namespace perennial

#include "perennial/data/shortcut.h"

#include <array>
#include <cmath>
#include <stdexcept>

#include "perennial/base/error.h"
#include "perennial/base/random.h"
#include "perennial/base/text.h"
#include "perennial/base/threads.h"

namespace perennial {
namespace {

using Colour = std::array<uint8_t, 3>;

/// Hues at equal distances.
Colour colour_of(int64_t label, int64_t classes) {
  const double hue = 6.0 * static_cast<double>(label) / static_cast<double>(std::max<int64_t>(1, classes));
  const auto part = [hue](double centre) {
    double off = std::abs(hue - centre);
    off = std::min(off, 6 - off);
    return static_cast<uint8_t>(std::lround(255 * std::clamp(2 - off, 0.0, 1.0)));
  };
  return {part(0), part(2), part(4)};
}

struct Picture {
  uint8_t* pixels;
  int64_t height, width;
  bool is_digit;

  uint8_t& at(int64_t c, int64_t y, int64_t x) const { return pixels[(c * height + y) * width + x]; }
  bool is_dark(int64_t y, int64_t x) const {
    return at(0, y, x) < 64 && at(1, y, x) < 64 && at(2, y, x) < 64;
  }
  bool is_outside(int64_t y, int64_t x) const {
    const double dy = (static_cast<double>(y) + 0.5) / static_cast<double>(height) - 0.5,
                 dx = (static_cast<double>(x) + 0.5) / static_cast<double>(width) - 0.5;
    return dy * dy + dx * dx > 0.35 * 0.35;
  }
};

void paint(const Picture& p, Shortcut::Form form, const Colour& colour) {
  const int64_t patch = std::max<int64_t>(1, p.height / 4), border = std::max<int64_t>(1, p.height / 8);
  for (int64_t y = 0; y < p.height; ++y)
    for (int64_t x = 0; x < p.width; ++x) {
      const bool in_patch = y < patch && x < patch;
      const bool in_border = y < border || x < border || y >= p.height - border || x >= p.width - border;
      const bool behind = p.is_digit ? p.is_dark(y, x) : p.is_outside(y, x);
      const bool covered = form == Shortcut::Form::kPatch    ? in_patch
                           : form == Shortcut::Form::kBorder ? in_border
                                                             : behind;
      if (!covered) continue;
      const bool half = form == Shortcut::Form::kBackground;
      for (int64_t c = 0; c < 3; ++c) {
        const auto own = colour[static_cast<size_t>(c)];
        uint8_t& value = p.at(c, y, x);
        value = half ? static_cast<uint8_t>((value + own) / 2) : own;
      }
    }
}

}  // namespace

Shortcut Shortcut::parse(const std::string& text) {
  if (text == "none") return {};
  const std::vector<std::string> parts = split(text, ':');
  const auto form = [&]() -> Form {
    if (parts.size() == 2 && parts[0] == "patch") return Form::kPatch;
    if (parts.size() == 2 && parts[0] == "border") return Form::kBorder;
    if (parts.size() == 2 && parts[0] == "background") return Form::kBackground;
    throw std::invalid_argument(
        "shortcut: expected none, patch:R, border:R or background:R with R from 0 to 1, found '" + text +
        "'");
  }();
  const double share = parse_number(parts[1], "shortcut");
  if (!(share >= 0 && share <= 1))
    throw std::invalid_argument("shortcut: expected a share from 0 to 1, found '" + parts[1] + "'");
  return {form, share};
}

Dataset with_shortcut(Dataset set, const Shortcut& shortcut, Bears bears, uint64_t seed,
                      double memory_share) {
  if (!shortcut.there()) return set;
  if (set.input != column::kImage || set.files)
    throw Error({"painting shortcuts", set.name, "images in memory (data.decode = whole)",
                 set.files ? "files that are decoded on demand" : "a set of " + set.input + "s"});
  set_channels(set, 3);
  if (set.side != 0)
    set.bring_to_size(memory_share);
  else
    set.inputs = set.inputs.clone();
  const auto classes = std::ssize(set.class_names);
  const std::vector<int64_t>& truth = set.true_labels.empty() ? set.labels : set.true_labels;
  auto* pixels = set.inputs.mutable_data_ptr<uint8_t>();
  const int64_t height = set.inputs.size(2), width = set.inputs.size(3);
  parallel_for(set.size(), 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto row = static_cast<size_t>(i);
      Random random(seed, "shortcut", 0, static_cast<uint64_t>(set.ids[row]));
      if (!random.chance(static_cast<float>(shortcut.share))) continue;
      int64_t label = truth[row];
      if (bears == Bears::kAnother && classes > 1)
        label = (label + 1 + random.below(static_cast<uint32_t>(classes - 1))) % classes;
      paint({pixels + i * 3 * height * width, height, width, set.is_digits}, shortcut.form,
            colour_of(label, classes));
    }
  });
  return set;
}

}  // namespace perennial

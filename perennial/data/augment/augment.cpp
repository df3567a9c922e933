#include "perennial/data/augment.h"

#include <cstring>
#include <stdexcept>

#include "perennial/base/text.h"
#include "perennial/data/augment/affine.h"
#include "perennial/data/augment/autoaugment.h"
#include "perennial/data/augment/batch.h"
#include "perennial/data/augment/randaugment.h"
#include "perennial/data/augment/random_ops.h"

namespace perennial {
namespace {

struct Name {
  const char* name;
  bool Augmentation::* flag;
};
constexpr Name kNames[] = {
    {"crop", &Augmentation::crop},
    {"flip", &Augmentation::flip},
    {"cutout", &Augmentation::cutout},
    {"autoaugment", &Augmentation::autoaugment},
    {"randaugment", &Augmentation::randaugment},
    {"randaugment_uda", &Augmentation::randaugment_uda},
    {"cutmix", &Augmentation::cutmix},
};

bool Augmentation::* flag_of(std::string_view word) {
  std::vector<std::string> names;
  for (const auto& [name, flag] : kNames) {
    if (word == name) return flag;
    names.emplace_back(name);
  }
  names.emplace_back("none");
  throw std::invalid_argument("unknown augmentation '" + std::string(word) + "'" + suggestion(word, names));
}

constexpr int kCutoutSize = 16;

}  // namespace

Augmentation Augmentation::parse(std::string_view text) {
  Augmentation what;
  if (trim(text) == "none") return what;
  for (const std::string& word : split(text, ',')) what.*flag_of(word) = true;
  if (what.text() == "none") flag_of("");
  return what;
}

std::string Augmentation::text() const {
  std::vector<std::string> names;
  for (const auto& [name, flag] : kNames)
    if (this->*flag) names.emplace_back(name);
  return names.empty() ? "none" : join(names, ",");
}

at::Tensor augment(const at::Tensor& images, std::span<const int64_t> ids, const Augmentation& what,
                   uint64_t seed, uint64_t position) {
  const at::Tensor source = checked_images(images, ids, "augmentation");
  return map_images(source, [&](int64_t n, ImageView in, ImageView out) {
    const auto random = [&](std::string_view purpose) {
      return Random(seed, purpose, position, static_cast<uint64_t>(ids[static_cast<size_t>(n)]));
    };
    if (!what.crop) std::memcpy(out.pixels, in.pixels, static_cast<size_t>(in.size()));
    if (what.crop) random_crop(in, out, random("crop"));
    if (what.flip && random("flip").chance(0.5F)) flip_horizontal(out);
    if (what.autoaugment) autoaugment(out, random("autoaugment"));
    if (what.randaugment) randaugment(out, random("randaugment"));
    if (what.randaugment_uda) randaugment_uda(out, random("randaugment_uda"));
    if (what.cutout) {
      Random own = random("cutout");
      random_cutout(out, kCutoutSize, own);
    }
  });
}

}  // namespace perennial

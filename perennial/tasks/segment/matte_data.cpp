#include "perennial/tasks/segment/matte_data.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <system_error>

#include <fmt/format.h>

#include "perennial/base/error.h"
#include "perennial/base/outputs.h"
#include "perennial/base/progress.h"
#include "perennial/base/random.h"
#include "perennial/base/threads.h"
#include "perennial/data/bad_files.h"
#include "perennial/io/image_files.h"
#include "perennial/io/image_mask.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLayout =
    "images/STEM.jpg or .png with masks/STEM.png, or STEM.jpg with STEM.png beside it";

[[noreturn]] void fail(const fs::path& path, const std::string& expected, const std::string& found) {
  throw Error({"loading images and masks", path.string(), expected, found});
}

using Files = std::map<std::string, fs::path>;  // by stem

bool is_png_name(const fs::path& path) { return ending_of(path) == ".png"; }

template <class Wanted>
Files by_stem(const std::vector<fs::path>& paths, Wanted wanted) {
  Files files;
  for (const fs::path& path : paths) {
    if (!wanted(path)) continue;
    const auto [at, fresh] = files.emplace(path.stem().string(), path);
    if (!fresh)
      fail(std::max(path, at->second), "one file of that stem", std::min(path, at->second).string());
  }
  return files;
}

bool any(const fs::path& /*path*/) { return true; }
bool is_photograph_name(const fs::path& path) { return !is_png_name(path); }

struct Pairs {
  Files images, masks;
  std::string left_out;
};

Pairs find_pairs(const fs::path& root) {
  const fs::path images = root / "images", masks = root / "masks";
  if (!fs::is_directory(root)) fail(root, kLayout, fs::exists(root) ? "a file" : "no such folder");
  if (fs::is_directory(images) && fs::is_directory(masks)) {
    FoundImages found = images_in(images, Depth::kFolder);
    const FoundImages found_masks = images_in(masks, Depth::kFolder);
    Pairs pairs{by_stem(found.files, any), by_stem(found_masks.files, any), ""};
    found.add(found_masks);
    pairs.left_out = found.note();
    return pairs;
  }
  const FoundImages found = images_in(root, Depth::kFolder);
  return {by_stem(found.files, is_photograph_name), by_stem(found.files, is_png_name), found.note()};
}

void check_pairs(const fs::path& root, const Pairs& pairs) {
  for (const auto& [stem, path] : pairs.images)
    if (!pairs.masks.contains(stem)) fail(path, "a mask '" + stem + ".png'", "none");
  for (const auto& [stem, path] : pairs.masks)
    if (!pairs.images.contains(stem)) fail(path, "an image '" + stem + "' to this mask", "none");
  if (pairs.images.empty()) fail(root, kLayout, "no image");
}

std::vector<uint8_t> binary(const Image& grey, int64_t threshold) {
  std::vector<uint8_t> mask(grey.pixels.size());
  std::transform(grey.pixels.begin(), grey.pixels.end(), mask.begin(),
                 [threshold](uint8_t v) { return static_cast<uint8_t>(v > threshold); });
  return mask;
}

Matte decode(const std::string& stem, const fs::path& image_path, const fs::path& mask_path,
             int64_t threshold) {
  const std::string bytes = read_image_bytes(image_path);
  Image image = decode_image(bytes, image_path.string());
  const Image mask = read_mask(mask_path);
  if (mask.height != image.height || mask.width != image.width)
    fail(mask_path, fmt::format("the size of its image, {} x {}", image.width, image.height),
         fmt::format("{} x {}", mask.width, mask.height));
  const uint64_t content = hash64(bytes);
  const auto id = static_cast<int64_t>(mix64(content, hash64(stem)) >> 1);
  return {stem, id, std::move(image), binary(mask, threshold), content};
}

// A set of masks that are all background teaches nothing, and is measured as something else.
void require_foreground(const fs::path& root, const std::vector<Matte>& mattes, const Pairs& pairs,
                        int64_t threshold) {
  const auto has_some = [](const Matte& m) {
    return std::find(m.mask.begin(), m.mask.end(), 1) != m.mask.end();
  };
  if (std::any_of(mattes.begin(), mattes.end(), has_some)) return;
  uint8_t greatest = 0;
  for (const auto& [stem, path] : pairs.masks) {
    const Image mask = read_mask(path);
    greatest = std::max(greatest, *std::max_element(mask.pixels.begin(), mask.pixels.end()));
  }
  fail(root, fmt::format("foreground in one of the {} masks: a grey above {}", mattes.size(), threshold),
       greatest == 0 ? "0 as the greatest grey (people are to be white, 255)"
                     : fmt::format("{} as the greatest grey (--mask-threshold {} takes it for foreground)",
                                   greatest, greatest / 2));
}

Pairs scan(const fs::path& root) {
  try {
    Pairs pairs = find_pairs(root);
    check_pairs(root, pairs);
    return pairs;
  } catch (const fs::filesystem_error& error) {
    fail(error.path1(), "a readable folder", error.code().message());
  }
}

std::vector<Matte> without_bad(std::vector<Matte> mattes, const std::vector<std::optional<Error>>& errors,
                               bool skip_bad, Progress& progress) {
  if (!skip_bad) throw_bad(errors, "--skip-bad leaves such files out");
  std::vector<Matte> good;
  for (size_t i = 0; i < mattes.size(); ++i) {
    if (errors[i])
      progress.note(std::string("skipped ") + errors[i]->what());
    else
      good.push_back(std::move(mattes[i]));
  }
  return good;
}

}  // namespace

std::vector<Matte> load_mattes(const fs::path& folder, const MatteDataOptions& options, Progress& progress) {
  if (options.threshold < 0 || options.threshold > 254)
    throw std::invalid_argument(
        fmt::format("mask-threshold: expected 0 to 254, found {}", options.threshold));
  const Pairs pairs = scan(folder);
  if (!pairs.left_out.empty()) progress.note(folder.string() + ": " + pairs.left_out);
  std::vector<std::pair<std::string, fs::path>> images(pairs.images.begin(), pairs.images.end());
  std::vector<Matte> mattes(images.size());
  std::vector<std::optional<Error>> errors(images.size());
  const ProgressPart part(progress, "reading " + folder.string(), static_cast<int64_t>(images.size()));
  std::mutex progress_mutex;
  parallel_for(static_cast<int64_t>(images.size()), 1, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      const auto& [stem, path] = images[i];
      try {
        mattes[i] = decode(stem, path, pairs.masks.at(stem), options.threshold);
      } catch (const Error& error) {
        errors[i].emplace(error);
      }
      const std::lock_guard<std::mutex> lock(progress_mutex);
      progress.advance(1);
      if (progress.stop_requested()) throw Interrupted{};
    }
  });
  mattes = without_bad(std::move(mattes), errors, options.skip_bad, progress);
  require_foreground(folder, mattes, pairs, options.threshold);
  return mattes;
}

std::vector<fs::path> matte_photographs(const fs::path& root) {
  if (!fs::is_directory(root))
    fail(root, "a folder of photographs", fs::exists(root) ? "a file" : "no such folder");
  const bool apart = fs::is_directory(root / "images");
  const FoundImages found = images_in(apart ? root / "images" : root, Depth::kFolder);
  Files files = apart ? by_stem(found.files, any) : by_stem(found.files, is_photograph_name);
  if (!apart) files.merge(by_stem(found.files, is_png_name));
  if (files.empty()) fail(root, "photographs (.jpg .png .webp ...)", "none");
  std::vector<fs::path> photographs;
  for (const auto& [stem, path] : files) photographs.push_back(path);
  return photographs;
}

}  // namespace perennial

#include "perennial/tasks/portrait_data.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/progress.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;

// Every row of pixels of `step` bytes in the other direction.
void mirror(std::vector<uint8_t>& pixels, int64_t width, int64_t step) {
  const int64_t row = width * step;
  for (auto at = pixels.begin(); at != pixels.end(); at += row)
    for (int64_t x = 0; x < width / 2; ++x)
      std::swap_ranges(at + x * step, at + (x + 1) * step, at + (width - 1 - x) * step);
}

PortraitMask seen_twice(MatteRunner& teacher, Frame frame) {
  teacher.forget();
  const std::vector<uint8_t> plain = teacher.matte(frame);
  mirror(frame.rgb, frame.width, 3);
  teacher.forget();
  std::vector<uint8_t> mirrored = teacher.matte(frame);
  mirror(mirrored, frame.width, 1);
  PortraitMask seen{std::vector<uint8_t>(plain.size()), 0};
  int64_t both = 0, either = 0;
  for (size_t p = 0; p < plain.size(); ++p) {
    const bool a = plain[p] > 127, b = mirrored[p] > 127;
    both += a && b ? 1 : 0;
    either += a || b ? 1 : 0;
    seen.mask[p] = plain[p] + mirrored[p] > 255 ? 255 : 0;
  }
  seen.agreement = either == 0 ? 0 : static_cast<double>(both) / static_cast<double>(either);
  return seen;
}

void require_stems_apart(const std::vector<fs::path>& photographs) {
  std::map<std::string, fs::path> stems;
  for (const fs::path& p : photographs)
    if (const auto [at, fresh] = stems.emplace(p.stem().string(), p); !fresh)
      throw Error({"making masks", p.string(), "a file name of its own stem", at->second.string()});
}

class Maker {
 public:
  Maker(const MaskSource& masks, const fs::path& out, const PortraitOptions& options)
      : masks_(masks), out_(out), options_(options) {
    make_folder(out / "images");
    make_folder(out / "masks");
  }

  void photograph(const fs::path& file) {
    if (!options_.faces) {
      if (fs::exists(out_ / "images" / file.filename())) return;
      const Image image = read_image(file);
      make({file}, image, {0, 0, image.width, image.height}, file.filename());
      return;
    }
    const auto found = options_.faces->find(file.filename().string());
    if (found == options_.faces->end()) return all_.push_back({file});
    const Image image = read_image(file);
    int64_t face = 0;
    for (const Box& box : found->second) {
      const std::string name = fmt::format("{}-{}.png", file.stem().string(), ++face);
      if (fs::exists(out_ / "images" / name)) continue;
      const auto part = head_and_shoulders(box, options_.around, image.width, image.height);
      if (part && box.width >= options_.least_face)
        make({file, face}, image, *part, name);
      else
        all_.push_back({file, face});
    }
  }

  std::vector<Portrait> all() && { return std::move(all_); }

 private:
  void make(Portrait portrait, const Image& photograph, const Box& box, const fs::path& name) {
    const PortraitMask mask = masks_(portrait.photograph, photograph, box);
    const auto inside = std::count(mask.mask.begin(), mask.mask.end(), 255);
    portrait.agreement = mask.agreement;
    portrait.area = static_cast<double>(inside) / static_cast<double>(mask.mask.size());
    portrait.kept = portrait.agreement >= options_.agreement && portrait.area >= options_.least &&
                    portrait.area <= options_.most;
    all_.push_back(portrait);
    if (!portrait.kept) return;
    // The photograph last: where it is, its mask is.
    write_file_atomic(out_ / "masks" / (name.stem().string() + ".png"),
                      encode_png({1, box.height, box.width, mask.mask}));
    write_file_atomic(out_ / "images" / name, portrait.face == 0
                                                  ? read_file(portrait.photograph, int64_t{1} << 30)
                                                  : encode_png(crop(photograph, box)));
  }

  const MaskSource& masks_;
  const fs::path out_;
  const PortraitOptions& options_;
  std::vector<Portrait> all_;
};

}  // namespace

MaskSource teacher_masks(MatteRunner& teacher) {
  return [&teacher](const fs::path&, const Image& photograph, const Box& box) {
    return seen_twice(teacher, frame_of(crop(photograph, box)));
  };
}

MaskSource labelled_masks(const fs::path& folder) {
  // One photograph's faces follow one another.
  return [folder, last = fs::path(), mask = Image()](const fs::path& file, const Image& photograph,
                                                     const Box& box) mutable {
    const fs::path path = folder / (file.stem().string() + ".png");
    if (path != last) mask = with_channels(read_image(path), 1);
    last = path;
    if (mask.width != photograph.width || mask.height != photograph.height)
      throw Error({"making masks", path.string(),
                   fmt::format("the size of its photograph, {} x {}", photograph.width, photograph.height),
                   fmt::format("{} x {}", mask.width, mask.height)});
    PortraitMask labelled{crop(mask, box).pixels, 1};
    for (uint8_t& p : labelled.mask) p = p > 0 ? 255 : 0;
    return labelled;
  };
}

std::vector<Portrait> make_portraits(const MaskSource& masks, const std::vector<fs::path>& photographs,
                                     const fs::path& out, const PortraitOptions& options,
                                     Progress& progress) {
  require_stems_apart(photographs);
  Maker maker(masks, out, options);
  const ProgressPart part(progress, "portraits", static_cast<int64_t>(photographs.size()));
  for (const fs::path& p : photographs) {
    if (progress.stop_requested()) throw Interrupted{};
    progress.advance(1);
    maker.photograph(p);
  }
  return std::move(maker).all();
}

}  // namespace perennial

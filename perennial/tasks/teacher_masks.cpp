#include "perennial/tasks/teacher_masks.h"

#include <algorithm>
#include <map>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/progress.h"
#include "perennial/io/image.h"

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

struct Judged {
  std::vector<uint8_t> mask;  ///< 0 and 255
  double agreement, area;
};

Judged judge(MatteRunner& teacher, Frame frame) {
  teacher.forget();
  const std::vector<uint8_t> plain = teacher.matte(frame);
  mirror(frame.rgb, frame.width, 3);
  teacher.forget();
  std::vector<uint8_t> mirrored = teacher.matte(frame);
  mirror(mirrored, frame.width, 1);
  Judged judged{std::vector<uint8_t>(plain.size()), 0, 0};
  int64_t both = 0, either = 0, inside = 0;
  for (size_t p = 0; p < plain.size(); ++p) {
    const bool a = plain[p] > 127, b = mirrored[p] > 127, on = plain[p] + mirrored[p] > 255;
    both += a && b ? 1 : 0;
    either += a || b ? 1 : 0;
    inside += on ? 1 : 0;
    judged.mask[p] = on ? 255 : 0;
  }
  judged.agreement = either == 0 ? 0 : static_cast<double>(both) / static_cast<double>(either);
  judged.area = static_cast<double>(inside) / static_cast<double>(plain.size());
  return judged;
}

void require_stems_apart(const std::vector<fs::path>& photographs) {
  std::map<std::string, fs::path> stems;
  for (const fs::path& p : photographs)
    if (const auto [at, fresh] = stems.emplace(p.stem().string(), p); !fresh)
      throw Error({"making masks", p.string(), "a file name of its own stem", at->second.string()});
}

}  // namespace

std::vector<TeacherMask> teacher_masks(MatteRunner& teacher, const std::vector<fs::path>& photographs,
                                       const fs::path& out, const TeacherOptions& options,
                                       Progress& progress) {
  require_stems_apart(photographs);
  make_folder(out / "images");
  make_folder(out / "masks");
  std::vector<TeacherMask> all;
  const ProgressPart part(progress, "masks by the teacher", static_cast<int64_t>(photographs.size()));
  for (const fs::path& p : photographs) {
    if (progress.stop_requested()) throw Interrupted{};
    progress.advance(1);
    if (fs::exists(out / "images" / p.filename())) continue;
    const Frame frame = frame_of(read_image(p));
    const Judged judged = judge(teacher, frame);
    const bool kept =
        judged.agreement >= options.agreement && judged.area >= options.least && judged.area <= options.most;
    all.push_back({p, judged.agreement, judged.area, kept});
    if (!kept) continue;
    // The photograph last: where it is, its mask is.
    write_file_atomic(out / "masks" / (p.stem().string() + ".png"),
                      encode_png({1, frame.height, frame.width, judged.mask}));
    write_file_atomic(out / "images" / p.filename(), read_file(p, int64_t{1} << 30));
  }
  return all;
}

}  // namespace perennial

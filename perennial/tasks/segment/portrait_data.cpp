#include "perennial/tasks/segment/portrait_data.h"

#include <algorithm>
#include <map>
#include <stdexcept>

#include <fmt/format.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/outputs.h"
#include "perennial/base/progress.h"
#include "perennial/io/image_mask.h"

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

void require_stems_apart(const std::vector<fs::path>& photographs, const fs::path& out) {
  std::vector<Output> outputs;
  for (const fs::path& p : photographs) outputs.push_back({p, out / "masks" / (p.stem().string() + ".png")});
  require_apart("making masks", outputs);
}

// The decoder makes eight bits of sixteen, where labels vanish, and lays what is transparent over white.
void require_plain_png(std::string_view bytes, const fs::path& file) {
  constexpr size_t kDepth = 24;
  if (const std::string_view format = format_name(bytes); format != "PNG" && is_image(bytes))
    throw Error(
        {"making masks", file.string(), "a PNG of 8 bits a channel without alpha", std::string(format)});
  if (bytes.size() <= kDepth) return;  // the decoder says what that is
  const bool deep = bytes[kDepth] == 16, alpha = has_alpha(bytes);
  if (deep || alpha)
    throw Error({"making masks", file.string(), "a PNG of 8 bits a channel without alpha",
                 deep ? "16 bits" : "alpha"});
}

Image united(const fs::path& file) {
  const std::string bytes = read_file(file, int64_t{1} << 30);
  require_plain_png(bytes, file);
  const Image labels = decode_image(bytes, file.string());
  Image mask{1, labels.height, labels.width, {}};
  const auto plane = static_cast<size_t>(labels.height * labels.width);
  for (size_t p = 0; p < plane; ++p) {
    bool person = false;
    for (size_t at = p; at < labels.pixels.size(); at += plane) person = person || labels.pixels[at] > 0;
    mask.pixels.push_back(person ? 255 : 0);
  }
  return mask;
}

// A photograph or mask that cannot be read, and not an error of what is written.
struct Unreadable : Error {
  explicit Unreadable(const Error& error) : Error(error) {}
};

template <class Read>
auto readable(const Read& read) {
  try {
    return read();
  } catch (const Error& error) {
    throw Unreadable(error);
  }
}

class Maker {
 public:
  Maker(const MaskSource& masks, const fs::path& out, const PortraitOptions& options)
      : masks_(masks), out_(out), options_(options) {
    make_folder(out / "images");
    make_folder(out / "masks");
  }

  void photograph(const fs::path& file) try {
    if (!options_.faces) return whole(file);
    const auto found = options_.faces->find(file.filename().string());
    if (found == options_.faces->end()) return all_.push_back({file, 0, Verdict::kNoFace});
    const Image image = readable([&] { return read_image(file); });
    for (size_t i = 0; i < found->second.size(); ++i)
      all_.push_back(around(found->second[i], image, file, static_cast<int64_t>(i) + 1));
  } catch (const Unreadable& bad) {
    all_.push_back({.photograph = file, .verdict = Verdict::kUnreadable, .reason = bad.what()});
  }

  std::vector<Portrait> all() && { return std::move(all_); }

 private:
  void whole(const fs::path& file) {
    if (fs::exists(out_ / "images" / file.filename())) return all_.push_back({file, 0, Verdict::kKeptBefore});
    const Image image = readable([&] { return read_image(file); });
    all_.push_back(judged({file, 0}, image, {0, 0, image.width, image.height}, file.filename()));
  }

  Portrait around(const Box& face, const Image& image, const fs::path& file, int64_t number) {
    const std::string name = fmt::format("{}-{}.png", file.stem().string(), number);
    if (fs::exists(out_ / "images" / name)) return {file, number, Verdict::kKeptBefore};
    if (face.width < options_.least_face) return {file, number, Verdict::kSmallFace};
    const auto part = head_and_shoulders(face, options_.around, image.width, image.height);
    if (!part) return {file, number, Verdict::kFaceOutside};
    return judged({file, number}, image, *part, name);
  }

  Portrait judged(Portrait p, const Image& photograph, const Box& box, const fs::path& name) {
    const PortraitMask mask = readable([&] { return masks_(p.photograph, photograph, box); });
    const auto inside = std::count(mask.mask.begin(), mask.mask.end(), 255);
    p.agreement = mask.agreement;
    p.area = static_cast<double>(inside) / static_cast<double>(mask.mask.size());
    if (p.agreement < options_.agreement) p.verdict = Verdict::kDoubtful;
    if (p.area < options_.least || p.area > options_.most) p.verdict = Verdict::kArea;
    if (!p.kept()) return p;
    // The photograph last: where it is, its mask is.
    write_file_atomic(out_ / "masks" / (name.stem().string() + ".png"),
                      encode_png({1, box.height, box.width, mask.mask}));
    write_file_atomic(out_ / "images" / name, p.face == 0 ? read_file(p.photograph, int64_t{1} << 30)
                                                          : encode_png(crop(photograph, box)));
    return p;
  }

  const MaskSource& masks_;
  const fs::path out_;
  const PortraitOptions& options_;
  std::vector<Portrait> all_;
};

}  // namespace

void check_portrait_options(const PortraitOptions& o) {
  const auto share = [](double x) { return x >= 0 && x <= 1; };  // no NaN
  if (!share(o.agreement) || !share(o.least) || !share(o.most))
    throw std::invalid_argument("agreement, least and most: expected shares from 0 to 1");
  if (!(o.around >= 1 && o.around <= 100)) throw std::invalid_argument("around: expected 1 to 100 faces");
}

const char* name_of(Verdict verdict) {
  constexpr const char* kNames[] = {"kept",         "kept before", "no face", "small face",
                                    "face outside", "doubtful",    "area",    "unreadable"};
  return kNames[static_cast<size_t>(verdict)];
}

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
    if (path != last) mask = united(path);
    last = path;
    if (mask.width != photograph.width || mask.height != photograph.height)
      throw Error({"making masks", path.string(),
                   fmt::format("the size of its photograph, {} x {}", photograph.width, photograph.height),
                   fmt::format("{} x {}", mask.width, mask.height)});
    return PortraitMask{crop(mask, box).pixels, 1};
  };
}

std::vector<Portrait> make_portraits(const MaskSource& masks, const std::vector<fs::path>& photographs,
                                     const fs::path& out, const PortraitOptions& options,
                                     Progress& progress) {
  check_portrait_options(options);
  require_stems_apart(photographs, out);
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

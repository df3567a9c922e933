#include "perennial/io/image_mask.h"

#include <algorithm>
#include <png.h>

#include "perennial/io/image_codecs.h"

namespace perennial {
namespace {

constexpr size_t kColourType = 25, kFirstChunk = 33;

struct GreyAndAlpha {
  Image grey, alpha;
  bool one_colour = true;  ///< whatever can be seen has it
};

GreyAndAlpha decode_both(std::string_view bytes, const std::string& name) {
  const ImageSize size = peek_image_size(bytes);
  check_image_size(name, size.height, size.width, max_image_pixels());
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_memory(&png, bytes.data(), bytes.size()) == 0)
    bad_image(name, "a PNG", png.message);
  png.format = PNG_FORMAT_RGBA;
  png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  std::vector<uint8_t> rgba(PNG_IMAGE_SIZE(png));
  if (png_image_finish_read(&png, nullptr, rgba.data(), 0, nullptr) == 0)
    bad_image(name, "a whole PNG", png.message);
  GreyAndAlpha both{{1, size.height, size.width, {}}, {1, size.height, size.width, {}}};
  const uint8_t* seen = nullptr;
  for (size_t i = 0; i + 3 < rgba.size(); i += 4) {
    const uint8_t* p = &rgba[i];
    both.grey.pixels.push_back(luma(p[0], p[1], p[2]));
    both.alpha.pixels.push_back(p[3]);
    if (p[3] == 0) continue;
    if (seen == nullptr) seen = p;
    both.one_colour = both.one_colour && std::equal(p, p + 3, seen);
  }
  return both;
}

bool varies(const Image& plane) {
  return std::any_of(plane.pixels.begin(), plane.pixels.end(),
                     [first = plane.pixels.front()](uint8_t v) { return v != first; });
}

// The same where both are cut in the middle.
bool agree(const Image& a, const Image& b) {
  return std::equal(a.pixels.begin(), a.pixels.end(), b.pixels.begin(),
                    [](uint8_t l, uint8_t r) { return (l > 127) == (r > 127); });
}

}  // namespace

bool has_alpha(std::string_view png) {
  if (!is_png(png) || png.size() <= kFirstChunk) return false;
  const auto colour = static_cast<unsigned char>(png[kColourType]);
  return colour == 4 || colour == 6 || png.substr(0, png.find("IDAT")).find("tRNS") != std::string_view::npos;
}

Image decode_mask(std::string_view bytes, const std::string& name) {
  if (!has_alpha(bytes)) return with_channels(decode_image(bytes, name), 1);
  GreyAndAlpha both = decode_both(bytes, name);
  if (!varies(both.alpha)) return std::move(both.grey);
  if (!both.one_colour && !agree(both.grey, both.alpha))
    bad_image(name, "a mask in its greys or in its alpha (save it as a grey PNG without alpha)",
              "shapes in both, which differ");
  return std::move(both.alpha);
}

Image read_mask(const std::filesystem::path& path) {
  return decode_mask(read_image_bytes(path), path.string());
}

}  // namespace perennial

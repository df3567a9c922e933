#include <cstdlib>

#include "perennial/base/error.h"
#include "perennial/io/image.h"

// Any bytes: an image of the stated form, or an Error; never more than `kMaxPixels` in memory.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace perennial;
  constexpr int64_t kMaxPixels = 1 << 20;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const Image image = decode_image(bytes, "fuzz", kMaxPixels, size % 3 == 0 ? 16 : 0);
    if (image.channels != 3 || image.height * image.width > kMaxPixels) std::abort();
    if (image.pixels.size() != static_cast<size_t>(3 * image.height * image.width)) std::abort();
    if (peek_image_size(bytes).height == 0) std::abort();
    resize_to_square(image, 24, size % 2 == 0);
  } catch (const Error&) {
  }
  return 0;
}

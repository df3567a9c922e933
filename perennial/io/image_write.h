#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "perennial/io/image.h"

namespace perennial {

/// JPEG bytes of an image of 1 or 3 channels, at quality 95 without subsampled colour. std::invalid_argument
/// for another, or for a side of more than 65,500 pixels.
std::string encode_jpeg(const Image& image);

/// WebP bytes of an image of 1, 3 or 4 channels (the last is alpha), at quality 95; std::invalid_argument for
/// another, or for a side of more than 16,383 pixels.
std::string encode_webp(const Image& image);

/// The endings of images that can be written, or of those that can be transparent, for require_ending().
std::vector<std::string> written_images(bool transparent = false);

/// Writes an image (atomically) in the format that its name ends in; a device or pipe gets PNG. Throws Error;
/// std::invalid_argument for an ending that is none of written_images().
void write_image(const std::filesystem::path& file, const Image& image);

}  // namespace perennial

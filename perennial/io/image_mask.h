#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "perennial/io/image.h"

namespace perennial {

/// True for a PNG that has an alpha channel or a transparent colour.
bool has_alpha(std::string_view png);

/// A mask in one channel: the grey of its colours or, where only the alpha of a PNG has a shape, the alpha.
/// Throws Error when both have one and they are not the same, or as decode_image() does.
Image decode_mask(std::string_view bytes, const std::string& name);

/// Reads and decodes; throws Error.
Image read_mask(const std::filesystem::path& path);

}  // namespace perennial

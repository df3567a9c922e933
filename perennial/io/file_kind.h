#pragma once

#include <string>
#include <string_view>

namespace perennial {

/// What a file is that was expected to hold weights and is no safetensors file, by its first bytes, and how
/// to come to one; "" for one that may be.
std::string other_than_safetensors(std::string_view bytes);

}  // namespace perennial

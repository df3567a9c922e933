#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "perennial/io/image.h"

namespace perennial {

/// A part of an image, in pixels.
struct Box {
  int64_t left = 0, top = 0, width = 0, height = 0;
  bool operator==(const Box&) const = default;
};

/// Boxes of faces by the file name of their photograph.
using Faces = std::map<std::string, std::vector<Box>>;

/// Parses `photograph,left,top,width,height[,...]` lines, as any face detector's boxes are easily written;
/// pixels may have decimals. Photographs are known by their file name alone: two of one name in different
/// folders are an error. Throws Error with the line for anything else; `name` is what errors call the source.
Faces parse_faces(std::string_view bytes, const std::string& name);

/// Head and shoulders around a face: `around` faces wide, 4/3 of that high (the proportions of EG1800's
/// portraits), the middle of the face 2/5 from the top; what lies beside the photograph is cut off. The
/// proportions are ours: Park et al., WACV 2020, section 4.1, state no numbers. Nothing when the middle of
/// the face lies outside.
std::optional<Box> head_and_shoulders(const Box& face, double around, int64_t width, int64_t height);

/// The part of an image; `box` lies within.
Image crop(const Image& image, const Box& box);

}  // namespace perennial

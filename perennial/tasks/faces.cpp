#include "perennial/tasks/faces.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "perennial/base/text.h"
#include "perennial/data/csv_rows.h"

namespace perennial {

Faces parse_faces(std::string_view bytes, const std::string& name) {
  Faces faces;
  for (const auto& [fields, line] :
       parse_csv(bytes, name, {"photograph", "left", "top", "width", "height"})) {
    if (fields.size() < 5 || fields[0].empty())
      fail_csv(name, "photograph,left,top,width,height", std::to_string(fields.size()) + " fields", line);
    int64_t pixels[4];
    for (size_t i = 0; i < 4; ++i) {
      double value = NAN;
      try {
        value = parse_number(fields[i + 1], "a pixel");
      } catch (const std::invalid_argument&) {
      }
      if (!(std::abs(value) < 1e6) || (i >= 2 && value < 1))
        fail_csv(name, i < 2 ? "a position in pixels" : "a size of at least one pixel",
                 "'" + fields[i + 1] + "'", line);
      pixels[i] = std::llround(value);
    }
    faces[std::filesystem::path(fields[0]).filename().string()].push_back(
        {pixels[0], pixels[1], pixels[2], pixels[3]});
  }
  return faces;
}

std::optional<Box> head_and_shoulders(const Box& face, double around, int64_t width, int64_t height) {
  const double wide = around * static_cast<double>(face.width), high = wide * 4 / 3;
  const double x = static_cast<double>(face.left) + static_cast<double>(face.width) / 2;
  const double y = static_cast<double>(face.top) + static_cast<double>(face.height) / 2;
  if (x < 0 || y < 0 || x >= static_cast<double>(width) || y >= static_cast<double>(height)) return {};
  const auto within = [](double at, int64_t size) { return std::clamp(std::llround(at), 0LL, 0LL + size); };
  const int64_t left = within(x - wide / 2, width), right = within(x + wide / 2, width);
  const int64_t top = within(y - high * 2 / 5, height), bottom = within(y + high * 3 / 5, height);
  if (left == right || top == bottom) return {};
  return Box{left, top, right - left, bottom - top};
}

Image crop(const Image& image, const Box& box) {
  Image part{image.channels, box.height, box.width, {}};
  part.pixels.reserve(static_cast<size_t>(part.channels * part.height * part.width));
  for (int64_t c = 0; c < image.channels; ++c)
    for (int64_t y = box.top; y < box.top + box.height; ++y) {
      const auto row = image.pixels.begin() + (c * image.height + y) * image.width + box.left;
      part.pixels.insert(part.pixels.end(), row, row + box.width);
    }
  return part;
}

}  // namespace perennial

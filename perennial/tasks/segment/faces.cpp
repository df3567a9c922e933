#include "perennial/tasks/segment/faces.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "perennial/data/csv_rows.h"

namespace perennial {

namespace {

int64_t pixels(const CsvRecord& record, size_t field, const std::string& name) {
  const std::string& text = record.fields[field];
  const char* end = text.data() + text.size();
  const bool size = field >= 3;
  double value = 0;
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || at != end || !(std::abs(value) < 1e6) || (size && value < 1))
    fail_csv(name, size ? "a size of at least one pixel" : "a position in pixels", "'" + text + "'",
             record.line);
  return std::llround(value);
}

}  // namespace

Faces parse_faces(std::string_view bytes, const std::string& name) {
  Faces faces;
  std::map<std::string, std::string> paths;  // by file name
  parse_csv(bytes, name, {"photograph", "left", "top", "width", "height"}, [&](const CsvRecord& record) {
    const auto& fields = record.fields;
    const std::filesystem::path path = std::filesystem::path(fields[0]).lexically_normal();
    const std::string file = path.filename().string();
    if (fields.size() < 5 || file.empty())
      fail_csv(name, "photograph,left,top,width,height", std::to_string(fields.size()) + " fields",
               record.line);
    if (const auto [at, fresh] = paths.emplace(file, path.string()); at->second != path)
      fail_csv(name, "one photograph of the name " + file, at->second + " and " + path.string(), record.line);
    faces[file].push_back(
        {pixels(record, 1, name), pixels(record, 2, name), pixels(record, 3, name), pixels(record, 4, name)});
  });
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

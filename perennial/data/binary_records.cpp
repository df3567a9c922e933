#include "perennial/data/binary_records.h"

#include <algorithm>

#include "perennial/base/error.h"

namespace perennial {
namespace {

int64_t record_bytes(const CifarForm& form) { return form.label_bytes + kCifarPixels; }

int64_t count_records(std::string_view bytes, const CifarForm& form, const std::string& path) {
  const auto size = static_cast<int64_t>(bytes.size());
  const int64_t each = record_bytes(form);
  const bool right = form.records > 0 ? size == form.records * each : size > 0 && size % each == 0;
  if (right) return size / each;
  const std::string expected = form.records > 0
                                   ? std::to_string(form.records) + " records of " + std::to_string(each) +
                                         " bytes (" + std::to_string(form.records * each) + " bytes)"
                                   : "records of " + std::to_string(each) + " bytes";
  throw Error({"reading " + form.name, path, expected, std::to_string(size) + " bytes"});
}

uint32_t big32(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

[[noreturn]] void bad_idx(const std::string& path, const std::string& expected, const std::string& found) {
  throw Error({"reading an IDX file", path, expected, found});
}

}  // namespace

std::vector<int64_t> cifar_labels(std::string_view bytes, const CifarForm& form, const std::string& path) {
  std::vector<int64_t> labels(static_cast<size_t>(count_records(bytes, form, path)));
  for (size_t i = 0; i < labels.size(); ++i) {
    const size_t at = i * static_cast<size_t>(record_bytes(form)) + static_cast<size_t>(form.label_bytes) - 1;
    labels[i] = static_cast<unsigned char>(bytes[at]);
    if (labels[i] >= form.classes)
      throw Error({"reading " + form.name, path, "labels 0 to " + std::to_string(form.classes - 1),
                   "label " + std::to_string(labels[i]) + " at offset " + std::to_string(at)});
  }
  return labels;
}

void copy_cifar_pixels(std::string_view bytes, const CifarForm& form, uint8_t* out) {
  const auto each = static_cast<size_t>(record_bytes(form)), skip = static_cast<size_t>(form.label_bytes);
  for (size_t at = 0; at + each <= bytes.size(); at += each)
    out = std::copy_n(reinterpret_cast<const uint8_t*>(bytes.data()) + at + skip, kCifarPixels, out);
}

Idx parse_idx(std::string_view bytes, int dimensions, const std::string& path) {
  const size_t header = 4 + 4 * static_cast<size_t>(dimensions);
  if (bytes.size() < header)
    bad_idx(path, "a header of " + std::to_string(header) + " bytes",
            std::to_string(bytes.size()) + " bytes");
  const uint32_t magic = big32(bytes, 0), expected = 0x0800U + static_cast<uint32_t>(dimensions);
  if (magic != expected)
    bad_idx(path, "magic number " + std::to_string(expected) + " at offset 0", std::to_string(magic));
  Idx idx{{}, bytes.substr(header)};
  int64_t product = 1;
  std::string form;
  for (int i = 0; i < dimensions; ++i) {
    const int64_t extent = big32(bytes, 4 + 4 * static_cast<size_t>(i));
    idx.shape.push_back(extent);
    form += (i > 0 ? " x " : "") + std::to_string(extent);
    // Anything past the file's length is wrong already; the cap keeps the product from overflowing.
    product = std::min(product, static_cast<int64_t>(bytes.size()) + 1) * extent;
    if (extent == 0) bad_idx(path, "no empty dimension", form);
  }
  if (product != static_cast<int64_t>(idx.data.size()))
    bad_idx(path, form + " bytes after the header", std::to_string(idx.data.size()));
  return idx;
}

}  // namespace perennial

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Parsers of the binary forms of CIFAR and MNIST; they take untrusted bytes and allocate nothing but labels.
namespace perennial {

/// A record of a CIFAR file: labels of one byte each, of which the last counts, then 3 x 32 x 32 pixels.
struct CifarForm {
  std::string name;         ///< "CIFAR-10"
  int64_t label_bytes = 1;  ///< 2 for CIFAR-100: coarse, fine
  int64_t classes = 10;
  int64_t records = 10000;  ///< per file; 0: any number
};
inline constexpr int64_t kCifarPixels = 3 * 32 * 32;

/// The labels of all records. Throws Error for a wrong length or label; `path` is what errors call the file.
std::vector<int64_t> cifar_labels(std::string_view bytes, const CifarForm& form, const std::string& path);

/// Copies the pixels of all records, whose number cifar_labels has checked, to `out`.
void copy_cifar_pixels(std::string_view bytes, const CifarForm& form, uint8_t* out);

/// An IDX file of bytes: its shape and its content, which is as long as the shape says.
struct Idx {
  std::vector<int64_t> shape;
  std::string_view data;
};

/// Parses an IDX file of unsigned bytes with `dimensions` dimensions; throws Error.
Idx parse_idx(std::string_view bytes, int dimensions, const std::string& path);

}  // namespace perennial

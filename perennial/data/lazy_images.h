#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace perennial {

/// What image files are decoded to.
struct ImageForm {
  int64_t channels = 3;  ///< 1 or 3
  int64_t side = 224;    ///< pixels
  bool stretch = false;  ///< to the square without keeping the aspect ratio
};

/// Image files that are decoded as they are asked for, by threads that work ahead of use: memory is bounded,
/// however many files there are. Safe from several threads.
class LazyImages {
 public:
  LazyImages(std::vector<std::string> files, const ImageForm& form);
  ~LazyImages();

  int64_t size() const { return std::ssize(files_); }
  const ImageForm& form() const { return form_; }
  /// uint8 [rows, channels, side, side]. Throws Error that names the file that cannot be read.
  at::Tensor get(std::span<const int64_t> rows) const;
  /// Begins to decode these rows, as many as the bound allows; what was expected before and is not among them
  /// is dropped.
  void expect(std::span<const int64_t> rows) const;

  std::shared_ptr<const LazyImages> only(std::span<const int64_t> rows) const;
  std::shared_ptr<const LazyImages> with_channels(int64_t channels) const;

 private:
  class Ahead;
  void decode(int64_t row, uint8_t* out) const;

  std::vector<std::string> files_;
  ImageForm form_;
  std::unique_ptr<Ahead> ahead_;  // last: its threads use the others
};

}  // namespace perennial

#pragma once

#include <algorithm>
#include <span>
#include <string>

#include <ATen/core/Tensor.h>

#include "perennial/base/threads.h"
#include "perennial/data/augment/view.h"

namespace perennial {

/// Throws std::invalid_argument unless `images` is uint8 [N, 1 or 3, H, W] on the CPU with sides that fit and
/// (where ids are given) one id each; returns it contiguous.
at::Tensor checked_images(const at::Tensor& images, const std::string& what);
at::Tensor checked_images(const at::Tensor& images, std::span<const int64_t> ids, const std::string& what);

/// An uninitialised tensor of the same shape.
at::Tensor images_like(const at::Tensor& images);

/// Image n of a contiguous batch.
inline ImageView view_of(const at::Tensor& images, uint8_t* data, int64_t n) {
  ImageView view{nullptr, static_cast<int>(images.size(1)), static_cast<int>(images.size(2)),
                 static_cast<int>(images.size(3))};
  view.pixels = data + n * view.size();
  return view;
}

/// A thread takes images of at least so many bytes at once.
inline constexpr int64_t kBytesAtOnce = 32768;

/// body(n, in, out) for each image, in parallel; `in` must not be changed.
template <class Body>
at::Tensor map_images(const at::Tensor& images, const Body& body) {
  at::Tensor result = images_like(images);
  if (images.numel() == 0) return result;
  auto* in = const_cast<uint8_t*>(images.const_data_ptr<uint8_t>());
  auto* out = result.mutable_data_ptr<uint8_t>();
  const int64_t bytes = images.numel() / images.size(0);
  parallel_for(images.size(0), std::max<int64_t>(1, kBytesAtOnce / bytes), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) body(n, view_of(images, in, n), view_of(images, out, n));
  });
  return result;
}

}  // namespace perennial

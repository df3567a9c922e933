#pragma once

#include <memory>
#include <span>
#include <stdexcept>
#include <string>

#include "edge/perennial_edge.h"

namespace perennial::edge {

/// The C interface as a value that closes itself; every failure is a std::runtime_error with its text.
class Matte {
 public:
  explicit Matte(const std::string& path) : model_(pe_open(path.c_str())) { check(model_ != nullptr); }

  /// Pixels red green blue, width x height without gaps, to alpha of the same size.
  void operator()(std::span<const uint8_t> rgb, int width, int height, std::span<uint8_t> alpha) {
    const size_t pixels = static_cast<size_t>(width) * static_cast<size_t>(height);
    if (rgb.size() < 3 * pixels || alpha.size() < pixels) throw std::runtime_error("a buffer smaller than its image");
    check(pe_set_image(model_.get(), 0, rgb.data(), width, height, 3 * static_cast<size_t>(width), 3) == 0);
    check(pe_run(model_.get()) == 0);
    check(pe_read_matte(model_.get(), 0, alpha.data(), width, height, static_cast<size_t>(width)) == 0);
  }
  pe_model* get() { return model_.get(); }

 private:
  static void check(bool good) {
    if (!good) throw std::runtime_error(pe_error());
  }
  struct Close {
    void operator()(pe_model* m) const { pe_close(m); }
  };
  std::unique_ptr<pe_model, Close> model_;
};

}  // namespace perennial::edge

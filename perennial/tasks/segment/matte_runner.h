#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "perennial/tasks/segment/background.h"

struct pe_model;

namespace perennial {

struct MatteOptions {
  double smooth =
      0;  ///< share of the matte before that stays in the next: steadier, and slower to follow. 0..1
  bool refine = false;  ///< draw the matte's edges along those of the photograph
  int64_t every = 1;    ///< the network runs on every so many frames; between them the matte stays
};

/// Mattes of photographs or of the frames of a video by the edge runtime. Throws Error for a model that
/// cannot be used, std::invalid_argument for options out of range.
class MatteRunner {
 public:
  MatteRunner(const std::filesystem::path& model, const MatteOptions& options);
  ~MatteRunner();
  /// A byte for each pixel, 255 is person; valid until the next call.
  const std::vector<uint8_t>& matte(const Frame& frame);
  /// Forgets the frames before: for photographs that have nothing to do with each other.
  void forget();

  struct Seconds {
    double resize = 0, network = 0;
  };
  /// So far, over all frames.
  const Seconds& seconds() const { return seconds_; }

 private:
  struct Close {
    void operator()(pe_model* m) const;
  };
  void compute(const Frame& frame);
  std::string path_;
  MatteOptions options_;
  std::unique_ptr<pe_model, Close> model_;
  std::vector<uint8_t> now_;
  std::vector<float> before_;
  int64_t frames_ = 0;
  Seconds seconds_;
};

}  // namespace perennial

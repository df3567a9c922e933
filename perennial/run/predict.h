#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "perennial/run/run.h"

namespace perennial {

/// What a run's model says of one image file.
struct Prediction {
  std::string path;
  std::vector<std::pair<std::string, double>> classes;  ///< name and probability, most probable first
};

/// The image files that `paths` name: files as they are, folders searched through, sorted. Error for what is
/// missing and for a folder without images.
std::vector<std::filesystem::path> find_images(const std::vector<std::filesystem::path>& paths);

/// Decodes, scales and classifies files, a batch at a time; at most `top` classes each.
std::vector<Prediction> predict_files(Run& run, const std::vector<std::filesystem::path>& files, int64_t top,
                                      Progress& progress);

}  // namespace perennial

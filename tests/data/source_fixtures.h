#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/progress.h"
#include "perennial/base/random.h"
#include "perennial/data/dataset.h"
#include "perennial/io/image.h"
#include "tests/base/temporary_folder.h"

// Data sets made in temporary folders, for the tests of the loaders.
namespace perennial::testing {

/// An empty folder that goes away with its test.
class SourceTest : public ::testing::Test {
 protected:
  void write(const std::string& path, std::string_view bytes) const {
    make_folder((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << bytes;
  }

  /// A PNG of one colour.
  void picture(const std::string& path, uint8_t value, int64_t height = 8, int64_t width = 8) const {
    const auto plane = static_cast<size_t>(3 * height * width);
    write(path, encode_png({3, height, width, std::vector<uint8_t>(plane, value)}));
  }

  /// A PNG that no other number gives.
  void photograph(const std::string& path, uint64_t number) const {
    Image image{3, 8, 8, std::vector<uint8_t>(192)};
    for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<uint8_t>(mix64(number, i));
    write(path, encode_png(image));
  }

  /// `kind` of this folder.
  DataOptions options(const std::string& kind) const {
    DataOptions out;
    out.source = kind + ":" + root_.string();
    return out;
  }

  TemporaryFolder temporary_;
  std::filesystem::path root_ = temporary_.path();
};

inline DataSource load(const DataOptions& options) {
  Progress silent;
  return load_data(options, silent);
}

inline std::string load_error(const DataOptions& options) {
  try {
    load(options);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

/// The first byte of a sample.
inline int first_pixel(const Dataset& set, int64_t row) {
  return set.inputs.const_data_ptr<uint8_t>()[row * set.inputs.stride(0)];
}

}  // namespace perennial::testing

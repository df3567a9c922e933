#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "perennial/data/split_name.h"

namespace perennial {

/// One line of an image list.
struct CsvRow {
  std::string path, label;
  std::optional<SplitName> part;
  int64_t line = 0;  ///< counts from 1
};

/// Parses a list of images and labels. Where the first line is a heading, columns are found by its usual
/// names in any case (path, file, filename, image, img ...; label, class, target, category, species ...;
/// split, set, subset, fold
/// ...) and others are left alone; without one they are path, label and, if there is a third, the part of the
/// set, or label and path where only the second holds names of images. Delimited by commas, semicolons, tabs
/// or bars. Throws Error with the line for what cannot be told apart, and for anything else.
std::vector<CsvRow> parse_image_csv(std::string_view bytes, const std::string& name);

/// The paths alone, of a list whose other columns may be anything or missing: those of the column with a
/// usual name for them, or, without a heading, of the first that holds names of images.
std::vector<std::string> parse_image_paths(std::string_view bytes, const std::string& name);

}  // namespace perennial

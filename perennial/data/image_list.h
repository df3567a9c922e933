#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "perennial/data/dataset.h"

namespace perennial {

/// One image file of a folder or CSV source, not yet decoded.
struct ImageEntry {
  std::filesystem::path file;
  std::string path;  ///< relative to the root, with forward slashes: names the sample for good
  int64_t label = 0;
  bool test = false;
};

/// The files of one source, in the order of the data set.
struct ImageList {
  std::filesystem::path root;
  std::string name;
  std::vector<std::string> class_names;
  std::vector<ImageEntry> entries;
  std::string split_note;
};

/// Marks about `share` of each class as test by a hash of the path, so that a file stays on its side when
/// others come or go. A class of two or more files has at least one on each side. Writes split_note.
void hold_out(ImageList& list, double share);

/// Keeps the classes and the train samples per class that the options ask for.
void choose_entries(ImageList& list, const DataOptions& options);

/// Decodes all files once, in parallel, to squares of one size. Throws the Error of the first bad file, or
/// lists it under `skipped` with options.skip_bad.
DataSource decode_images(const ImageList& list, const DataOptions& options, Progress& progress);

}  // namespace perennial

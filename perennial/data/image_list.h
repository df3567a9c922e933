#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "perennial/data/dataset.h"

namespace perennial {

/// One image file of a folder or CSV source, not yet decoded.
struct ImageEntry {
  std::filesystem::path file;
  std::string path;  ///< relative to the root, with forward slashes
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
  std::string left_out;  ///< what of the source is not among the entries: DataSource::left_out
};

/// Marks about options.test_share of each class as test by the content of the files (held_out). With
/// options.skip_bad those that cannot be decoded do not count. Writes split_note.
void hold_out(ImageList& list, const DataOptions& options, Progress& progress);

/// Keeps the classes and the train samples per class that the options ask for.
void choose_entries(ImageList& list, const DataOptions& options);

/// Decodes all files once, in parallel, to squares of one size; ids are made of content and path. Throws an
/// Error that names the bad files, or lists them under `skipped` with options.skip_bad. Where options.decode
/// says so nothing is decoded yet, and ids are file_id().
DataSource decode_images(ImageList list, const DataOptions& options, Progress& progress);

/// Of a file that is not read: made of its size and its path relative to the root.
int64_t file_id(const std::filesystem::path& file, const std::string& path);

}  // namespace perennial

#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "perennial/data/lazy_images.h"
#include "perennial/data/source.h"

namespace perennial {

class OptionTable;
class Progress;

/// Channel means and standard deviations, on the [0, 1] scale, that a model's input is normalised with.
struct Normalisation {
  std::array<double, 3> mean{0.485, 0.456, 0.406};
  std::array<double, 3> std{0.229, 0.224, 0.225};
};

/// All samples of one set: a source of inputs and, unless it is a pool, labels.
struct Dataset : Source {
  std::string name;                    ///< "cifar10", or the folder's name
  std::string input = column::kImage;  ///< what the inputs are: image, vector or feature
  at::Tensor inputs;                   ///< [N, ...] as that column of Samples, in memory or mapped
  int64_t side = 0;      ///< images are brought to this side as they are asked for; 0: they are as stored
  bool stretch = false;  ///< then without keeping the aspect ratio
  std::shared_ptr<const LazyImages> files;  ///< in their place: images that are decoded on demand
  std::vector<int64_t> labels;              ///< [N], index into class_names; with noise: as they arrive
  std::vector<int64_t> true_labels;         ///< [N], or empty when labels are the truth
  std::vector<std::string> class_names;
  std::vector<int64_t>
      ids;  ///< [N]; of files: by content and path, of those decoded on demand by size and path
  std::vector<std::string> paths;  ///< [N] file of each sample relative to the root, or empty
  Normalisation normalisation;
  bool is_digits = false;  ///< handwritten digits: neither mirrored nor cropped by default

  const std::vector<int64_t>& sample_ids() const override { return ids; }
  /// Rows as samples with inputs and labels.
  Samples get(std::span<const int64_t> rows) const override;
  void expect(std::span<const int64_t> rows) const override;
  /// Of the inputs as stored and the size they are given in; of files decoded on demand by their ids.
  uint64_t hash(uint64_t seed) const override;
  /// Rows as inputs alone.
  at::Tensor input_rows(std::span<const int64_t> rows) const;
  /// `count` rows from `begin` as samples with inputs alone, which are views where they can be.
  Samples unlabelled(int64_t begin, int64_t count) const;
  /// Of one input, as get() gives it: [C, H, W] or [D].
  std::vector<int64_t> input_shape() const;
  /// Brings all images to their size for good. Throws Error when there is no room.
  void bring_to_size(double memory_share);
  /// That inputs take, in memory or mapped.
  int64_t input_bytes() const;

 private:
  /// Images as stored, brought to `side` where there is one.
  at::Tensor as_given(const at::Tensor& stored) const;
};

/// The train and test part of one source; both share class_names.
struct DataSource {
  Dataset train;
  Dataset test;
  std::string split_note;  ///< how the test part came about, e.g. "hold-out: 20 % of each class, by hash of
                           ///< the content"
  std::vector<std::string> skipped;  ///< files left out under skip_bad, each with the reason
  std::string left_out;              ///< what of the source is no sample: "3 .heic left out; val/ left out"
};

struct DataOptions {
  std::string source = "digits";
  int64_t size = 0;  ///< side in pixels; 0: as stored, folders and CSV: when all agree and <= 96, else 224
  bool stretch = false;         ///< resize without keeping the aspect ratio
  bool skip_bad = false;        ///< list and skip files that cannot be decoded
  double test_share = 0.2;      ///< hold-out when a folder has no test/
  double validate = 0;          ///< test on this share of the training part, not on the test part
  std::string classes;          ///< keep only these classes, comma-separated; empty: all
  int64_t limit = 0;            ///< at most this many train samples per class; 0: all
  double memory_share = 0.5;    ///< of physical memory that images may take before they go to a scratch file
  std::string decode = "auto";  ///< of files: whole (at the start) | demand (as they are asked for) | auto
                                ///< (on demand where they would take more than memory_share)

  bool test_only = false;  ///< no option of users: leave the training part out

  /// Adds the options under their names ("data" for the source, then "data.size", ...).
  void bind(OptionTable& table);
};

/// Loads `digits` | `cifar10:DIR` | `cifar100:DIR` (binary forms) | `mnist:DIR` (IDX, plain or .gz) |
/// `folder:DIR` (train/<class>/..., optional test/ or val/<class>/..., or <class>/... directly) | `csv:FILE`
/// (paths, labels and, if stated, parts of the set). Throws std::invalid_argument for an unknown kind, Error
/// for bad files.
DataSource load_data(const DataOptions& options, Progress& progress);

/// The images of a folder and its subfolders as a pool: without labels, decoded on demand, none read before.
/// `size` 0: 224 pixels. Throws Error when there is none.
Dataset open_pool(const std::filesystem::path& folder, const DataOptions& options);

/// A pool as `options.source` says: `folder:DIR`, `csv:FILE` (paths; labels are not looked at) or
/// `features:FILE` (safetensors with "features" [N, D], float or half; samples are called by their row).
/// Throws std::invalid_argument for another kind, Error for bad files and for a sample that is there twice.
Dataset load_pool(const DataOptions& options);

/// An uninitialised uint8 tensor [n, c, h, w] in memory, or over an unlinked scratch file in the cache folder
/// when it would take more than `memory_share` of physical memory. Throws Error when there is no room.
at::Tensor allocate_images(int64_t n, int64_t c, int64_t h, int64_t w, double memory_share);

/// Gives the images of a set this number of channels: colour becomes grey by ITU-R 601 luma, grey is
/// repeated.
void set_channels(Dataset& set, int64_t channels);

}  // namespace perennial

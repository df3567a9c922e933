#include "perennial/data/dataset.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <numeric>
#include <stdexcept>

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include "perennial/base/bytes.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/options.h"
#include "perennial/base/random.h"
#include "perennial/base/text.h"
#include "perennial/base/threads.h"
#include "perennial/base/utf8.h"
#include "perennial/data/sources.h"
#include "perennial/io/image.h"

namespace perennial {
namespace {

const std::vector<std::string> kKinds{"digits", "cifar10", "cifar100", "mnist", "folder", "csv"};

void check(const DataOptions& options) {
  if (!(options.test_share >= 0 && options.test_share < 1))
    throw std::invalid_argument("data.test_share: expected a share from 0 to below 1");
  if (options.decode == "demand" && options.skip_bad)
    throw std::invalid_argument(
        "data.skip_bad: what cannot be decoded is found only at the start (data.decode = whole)");
  if (options.size < 0 || options.limit < 0)
    throw std::invalid_argument("data.size and data.limit: expected 0 or more");
}

DataSource load_kind(const DataOptions& options, Progress& progress) {
  const size_t colon = options.source.find(':');
  const std::string kind = options.source.substr(0, colon);
  const std::string place = colon == std::string::npos ? "" : options.source.substr(colon + 1);
  if (std::find(kKinds.begin(), kKinds.end(), kind) == kKinds.end())
    throw std::invalid_argument("data: unknown source '" + options.source + "'" + suggestion(kind, kKinds));
  if ((kind == "digits") != place.empty())
    throw std::invalid_argument(kind == "digits"
                                    ? "data: digits are built in and take no folder"
                                    : "data: expected " + kind + (kind == "csv" ? ":FILE" : ":DIR"));
  if (kind == "cifar10") return load_cifar10(place, options);
  if (kind == "cifar100") return load_cifar100(place, options);
  if (kind == "mnist") return load_mnist(place, options);
  if (kind == "folder") return load_folder(place, options, progress);
  if (kind == "csv") return load_csv(place, options, progress);
  return load_digits();
}

at::Tensor copy_rows(const at::Tensor& from, const std::vector<int64_t>& rows, double memory_share) {
  at::Tensor kept = allocate_images(std::ssize(rows), from.size(1), from.size(2), from.size(3), memory_share);
  auto* out = kept.mutable_data_ptr<uint8_t>();
  const int64_t bytes = from.size(1) * from.size(2) * from.size(3);
  for (const int64_t row : rows) out = std::copy_n(from.const_data_ptr<uint8_t>() + row * bytes, bytes, out);
  return kept;
}

/// Copies the named rows, with their labels renamed; `set.class_names` becomes `names`.
void keep_rows(Dataset& set, const std::vector<int64_t>& rows, const std::vector<int64_t>& new_label,
               const std::vector<std::string>& names, double memory_share) {
  Dataset kept = set;
  kept.class_names = names;
  kept.labels.clear(), kept.ids.clear(), kept.paths.clear();
  if (set.files)
    kept.files = set.files->only(rows);
  else
    kept.inputs = copy_rows(set.inputs, rows, memory_share);
  for (const int64_t row : rows) {
    const auto i = static_cast<size_t>(row);
    kept.labels.push_back(new_label[static_cast<size_t>(set.labels[i])]);
    kept.ids.push_back(set.ids[i]);
    if (!set.paths.empty()) kept.paths.push_back(set.paths[i]);
  }
  set = std::move(kept);
}

/// Applies `classes` and `limit` to one part (`limit` 0: no limit).
void choose_rows(Dataset& set, const DataOptions& options, int64_t limit) {
  const auto chosen = chosen_classes(options, set.class_names);
  std::vector<int64_t> new_label(set.class_names.size(), -1);
  std::vector<std::string> names;
  for (const int64_t c : chosen) {
    new_label[static_cast<size_t>(c)] = static_cast<int64_t>(names.size());
    names.push_back(set.class_names[static_cast<size_t>(c)]);
  }
  std::vector<int64_t> rows, taken(set.class_names.size());
  for (int64_t row = 0; row < set.size(); ++row) {
    const auto label = static_cast<size_t>(set.labels[static_cast<size_t>(row)]);
    if (new_label[label] >= 0 && (limit == 0 || taken[label]++ < limit)) rows.push_back(row);
  }
  if (static_cast<int64_t>(rows.size()) == set.size() && names.size() == set.class_names.size()) return;
  keep_rows(set, rows, new_label, names, options.memory_share);
}

/// Takes a share of the training part, drawn by sample id, in place of the test part.
void hold_out_validation(DataSource& source, const DataOptions& options) {
  if (options.validate == 0) return;
  std::vector<int64_t> same(source.train.class_names.size()), kept, held;
  std::iota(same.begin(), same.end(), int64_t{0});
  for (int64_t row = 0; row < source.train.size(); ++row) {
    Random random(0, "validation", 0, static_cast<uint64_t>(source.train.ids[static_cast<size_t>(row)]));
    (random.chance(static_cast<float>(options.validate)) ? held : kept).push_back(row);
  }
  source.test = source.train;
  keep_rows(source.test, held, same, source.train.class_names, options.memory_share);
  keep_rows(source.train, kept, same, source.train.class_names, options.memory_share);
  source.split_note = fmt::format("validation: {:g} % of the training part; the test part is not read",
                                  100 * options.validate);
}

/// Brings images [N, C, H, W] to `to` [N, C, side, side].
void resize(const at::Tensor& images, bool stretch, at::Tensor& to) {
  const at::Tensor from = images.contiguous();
  const int64_t channels = from.size(1), height = from.size(2), width = from.size(3), side = to.size(3);
  const auto* in = from.const_data_ptr<uint8_t>();
  auto* out = to.mutable_data_ptr<uint8_t>();
  const int64_t bytes = channels * height * width;
  parallel_for(from.size(0), 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Image image{channels, height, width, {in + i * bytes, in + (i + 1) * bytes}};
      const Image square = resize_to_square(image, side, stretch);
      std::copy(square.pixels.begin(), square.pixels.end(), out + i * channels * side * side);
    }
  });
}

/// Brings a set that is stored in one size to the size asked for: at once where that takes less room than
/// what is stored, else as images are asked for.
void resize_inputs(Dataset& set, const DataOptions& options) {
  if (set.files) return;  // decoded to it
  const at::Tensor from = set.inputs;
  const int64_t height = from.size(2), width = from.size(3), side = options.size;
  if (side == 0 || (height == side && width == side)) return;
  set.side = side;
  set.stretch = options.stretch;
  if (side * side < height * width) set.bring_to_size(options.memory_share);
}

}  // namespace

void DataOptions::bind(OptionTable& table) {
  table.add("data", source, "digits | cifar10:DIR | cifar100:DIR | mnist:DIR | folder:DIR | csv:FILE");
  table.add("data.size", size, "side of the images in pixels; 0: as stored when small and equal, else 224")
      .range(0, 4096);
  table.add("data.stretch", stretch, "resize without keeping the aspect ratio").released("true");
  table.add("data.skip_bad", skip_bad, "list and skip images that cannot be decoded");
  table.add("data.test_share", test_share, "share held out for testing when the data have no test part")
      .range(0, 0.9);
  table
      .add("data.validate", validate,
           "to choose options by: test on this share of the training part, and leave the test part alone")
      .range(0, 0.9);
  table.add("data.classes", classes, "keep only these classes, comma-separated; empty: all");
  table.add("data.limit", limit, "at most this many training samples per class; 0: all").range(0, 1e12);
  table
      .add("data.decode", decode,
           "image files: all at the start (whole), as they are asked for (demand), or on demand where they "
           "would take more "
           "than memory_share (auto)")
      .choices({"auto", "whole", "demand"});
  table
      .add("data.memory_share", memory_share,
           "share of memory that images may take: files beyond it are decoded on demand, or go to a scratch "
           "file "
           "(data.decode = whole)")
      .range(0, 1);
}

std::vector<int64_t> chosen_classes(const DataOptions& options, const std::vector<std::string>& names) {
  const auto wanted = split(options.classes, ',');
  if (wanted.empty() && !options.classes.empty())
    throw std::invalid_argument("data.classes: expected names of classes, found '" + options.classes + "'");
  std::vector<int64_t> chosen;
  for (const auto& name : wanted) {
    const auto it = std::find(names.begin(), names.end(), name);
    if (it == names.end())
      throw std::invalid_argument("data.classes: no class '" + name + "'" + suggestion(name, names));
    chosen.push_back(it - names.begin());
  }
  if (wanted.empty())
    for (int64_t c = 0; c < static_cast<int64_t>(names.size()); ++c) chosen.push_back(c);
  std::sort(chosen.begin(), chosen.end());
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  return chosen;
}

void require_utf8(const std::vector<std::string>& class_names, const std::string& source) {
  for (const std::string& name : class_names)
    if (!is_utf8(name))
      throw Error({"loading the data", source, "class names in UTF-8", "'" + visible(name) + "'"});
}

DataSource load_data(const DataOptions& options, Progress& progress) {
  check(options);
  DataSource source = load_kind(options, progress);
  require_utf8(source.train.class_names, options.source);
  choose_rows(source.train, options, options.limit);
  choose_rows(source.test, options, 0);
  hold_out_validation(source, options);
  if (options.test_only && source.train.inputs.defined())
    keep_rows(source.train, {}, {}, source.train.class_names, options.memory_share);
  resize_inputs(source.train, options);
  resize_inputs(source.test, options);
  return source;
}

at::Tensor allocate_images(int64_t n, int64_t c, int64_t h, int64_t w, double memory_share) {
  if (n < 0 || c < 1 || h < 1 || w < 1)
    throw std::invalid_argument("allocate_images: a negative or empty shape");
  const double bytes =
      static_cast<double>(n) * static_cast<double>(c) * static_cast<double>(h) * static_cast<double>(w);
  const auto room = static_cast<double>(physical_memory_bytes());
  if (bytes > 0x1p62) throw Error({"making room for images", "", "fewer", std::to_string(n)});
  const auto options = at::TensorOptions().dtype(at::kByte);
  if (bytes <= memory_share * room || n == 0) {
    try {
      return at::empty({n, c, h, w}, options);
    } catch (const std::exception&) {
      throw Error(
          {"making room for images", "", format_bytes(static_cast<int64_t>(bytes)) + " of memory", "less"});
    }
  }
  auto scratch = std::make_shared<ScratchMapping>(cache_folder(), static_cast<size_t>(bytes));
  return at::from_blob(scratch->data(), {n, c, h, w}, [scratch](void*) mutable { scratch.reset(); }, options);
}

void set_channels(Dataset& set, int64_t channels) {
  const at::Tensor images = set.inputs;
  if (set.files) {
    if (set.files->form().channels != channels) set.files = set.files->with_channels(channels);
    return;
  }
  if (set.size() == 0 || set.input != column::kImage || images.size(1) == channels) return;
  if (images.size(1) == 1) {
    set.inputs = images.expand({-1, channels, -1, -1}).contiguous();
    return;
  }
  at::Tensor grey = at::empty({images.size(0), 1, images.size(2), images.size(3)}, images.options());
  const int64_t plane = images.size(2) * images.size(3);
  const auto* in = images.const_data_ptr<uint8_t>();
  auto* out = grey.mutable_data_ptr<uint8_t>();
  for (int64_t i = 0; i < images.size(0); ++i, in += 3 * plane, out += plane)
    for (int64_t p = 0; p < plane; ++p) out[p] = luma(in[p], in[plane + p], in[2 * plane + p]);
  set.inputs = grey;
}

Samples Dataset::get(std::span<const int64_t> rows) const {
  std::vector<int64_t> taken;
  for (const int64_t row : rows) {
    if (row < 0 || row >= size())
      throw std::invalid_argument(fmt::format("{}: row {} of {}", name, row, size()));
    taken.push_back(ids[static_cast<size_t>(row)]);
  }
  Samples samples(std::move(taken), {{input, input_rows(rows)}});
  if (labels.empty()) return samples;
  const at::Tensor labelled = at::empty({std::ssize(rows)}, at::kLong);
  auto* label = labelled.mutable_data_ptr<int64_t>();
  for (const int64_t row : rows) *label++ = labels[static_cast<size_t>(row)];
  return samples.with(column::kLabel, labelled);
}

at::Tensor Dataset::input_rows(std::span<const int64_t> rows) const {
  if (files) return files->get(rows);
  return as_given(inputs.index_select(0, at::tensor(at::ArrayRef<int64_t>(rows.data(), rows.size()))));
}

at::Tensor Dataset::as_given(const at::Tensor& stored) const {
  if (side == 0) return stored;
  at::Tensor given = at::empty({stored.size(0), stored.size(1), side, side}, stored.options());
  resize(stored, stretch, given);
  return given;
}

void Dataset::bring_to_size(double memory_share) {
  if (side == 0) return;
  at::Tensor all = allocate_images(inputs.size(0), inputs.size(1), side, side, memory_share);
  resize(inputs, stretch, all);
  inputs = all;
  side = 0;
}

void Dataset::expect(std::span<const int64_t> rows) const {
  if (files) files->expect(rows);
}

uint64_t Dataset::hash(uint64_t seed) const {
  if (files) return hash64({reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(int64_t)}, seed);
  if (side != 0) seed = mix64(seed, mix64(static_cast<uint64_t>(side), stretch ? 1 : 0));
  return hash64({static_cast<const char*>(inputs.const_data_ptr()), inputs.nbytes()}, seed);
}

Samples Dataset::unlabelled(int64_t begin, int64_t count) const {
  at::Tensor some;
  if (files) {
    std::vector<int64_t> rows(static_cast<size_t>(std::min(2 * count, size() - begin)));
    std::iota(rows.begin(), rows.end(), begin);
    some = files->get(std::span(rows).first(static_cast<size_t>(count)));
    files->expect(std::span(rows).subspan(static_cast<size_t>(count)));
  } else {
    some = as_given(inputs.narrow(0, begin, count));
  }
  return {{ids.begin() + begin, ids.begin() + begin + count}, {{input, some}}};
}

std::vector<int64_t> Dataset::input_shape() const {
  if (files) return {files->form().channels, files->form().side, files->form().side};
  if (side != 0) return {inputs.size(1), side, side};
  return inputs.sizes().slice(1).vec();
}

int64_t Dataset::input_bytes() const {
  return files || !inputs.defined() ? 0 : static_cast<int64_t>(inputs.nbytes());
}

}  // namespace perennial

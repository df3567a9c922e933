#include "perennial/tasks/classify/learned_network.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "edge/nets/classifiers.h"
#include "perennial/base/error.h"
#include "perennial/base/text.h"
#include "perennial/io/weights.h"
#include "perennial/tasks/edge_model.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostSide = 4096;

class Reader {
 public:
  explicit Reader(const fs::path& run) : run_(run), path_(model_file(run)), file_(read_safetensors(path_)) {}

  edge::Graph read() {
    const std::string backbone = backbone_name();
    const std::vector<int64_t> shape = image_shape();
    edge::Weights weights = edge_weights(file_);
    add_frozen(weights);
    const std::vector<int64_t> rows = rows_by_class(weights);
    for (auto& [name, weight] : weights)
      if (name.starts_with("head.")) take_rows(weight, rows, name);
    try {
      edge::Graph graph = edge::classifier(backbone, weights, image_input(shape), static_cast<int>(shape[1]));
      graph.label("logits", names_of(rows));
      return graph;
    } catch (const std::invalid_argument& e) {
      throw Error({fmt::format("exporting a {}: {}", backbone, e.what()), path_.string(), "", ""});
    }
  }

 private:
  [[noreturn]] void refuse(const std::string& expected, const std::string& found) const {
    throw Error({"exporting a run", path_.string(), expected, found});
  }

  static fs::path model_file(const fs::path& run) {
    std::error_code failed;
    const fs::path file = run / "model.safetensors";
    if (fs::exists(file, failed)) return file;
    const bool begun = fs::exists(run / "config.toml", failed);
    throw Error({"exporting a run", run.string(), "a folder written by `perennial learn`",
                 begun ? "one without a model.safetensors yet: the first task writes it"
                 : fs::is_directory(run, failed) ? "no model.safetensors in it"
                 : fs::exists(run, failed)       ? "a file (weights of a network of your own: --weights)"
                                                 : "nothing there"});
  }

  std::optional<std::string> text(const std::string& key) const {
    const auto found = file_.metadata.find(key);
    if (found == file_.metadata.end()) return std::nullopt;
    return found->second;
  }

  std::string backbone_name() const {
    const auto name = text("model");
    if (!name || !text("labels")) {
      const std::string expected = "a classifier of `perennial learn`";
      if (file_.metadata.contains("gate"))
        refuse(expected, fmt::format("mattes (`perennial segment export --weights {}`)", run_.string()));
      refuse(expected, "metadata that name no model");
    }
    if (text("readout")) refuse("a model that predicts by its head", "one by " + *text("readout"));
    if (text("neck")) refuse("a model without a neck (model.neck = 0)", "one of " + *text("neck"));
    const auto known = edge::classifier_names();
    if (std::find(known.begin(), known.end(), *name) == known.end())
      refuse(fmt::format("a model that the edge runtime runs: {}", fmt::join(known, ", ")), *name);
    return *name;
  }

  std::vector<int64_t> numbers(const std::string& key, const std::string& list) const {
    std::vector<int64_t> all;
    try {
      for (const std::string& part : split(list, ',')) all.push_back(parse_int(part, key));
    } catch (const std::invalid_argument&) {
      refuse(fmt::format("whole numbers under \"{}\" in the metadata", key), "'" + list + "'");
    }
    return all;
  }

  /// [channels, side, side].
  std::vector<int64_t> image_shape() const {
    const auto image = text("image"), stretch = text("stretch");
    if (!image || !stretch)
      refuse("the shape of its images in the metadata (\"image\", \"stretch\")",
             fmt::format(
                 "a model that an older version wrote: `perennial update {0} --data D` writes it again (of "
                 "a run that has not finished, `perennial resume {0}`)",
                 run_.string()));
    std::vector<int64_t> shape = numbers("image", *image);
    if (shape.size() == 1) refuse("a model of images", fmt::format("one of features [{}]", *image));
    const bool sound = shape.size() == 3 && (shape[0] == 1 || shape[0] == 3) && shape[1] == shape[2] &&
                       shape[1] >= 1 && shape[1] <= kMostSide;
    if (!sound) refuse("square images of 1 or 3 channels", fmt::format("[{}]", *image));
    return shape;
  }

  edge::ImageInput image_input(const std::vector<int64_t>& shape) const {
    const auto found = file_.tensors.find("normalisation");
    if (found == file_.tensors.end() || found->second.sizes() != at::IntArrayRef{2, 3})
      refuse("normalisation [2, 3]", "no such tensor");
    const at::Tensor values = found->second.to(at::kDouble).contiguous();
    const auto* v = values.const_data_ptr<double>();
    edge::ImageInput image{.divisor = 255, .rounded = true};
    for (int c = 0; c < 3; ++c) {
      image.mean[c] = static_cast<float>(255 * v[c]);
      image.std[c] = static_cast<float>(v[3 + c]);
    }
    image.centre = *text("stretch") != "true";
    image.grey = shape[0] == 1;
    return image;
  }

  // A file of ours names the whole classifier, a published one the backbone.
  void add_frozen(edge::Weights& weights) const {
    const auto of_backbone = [](const auto& tensor) { return tensor.first.starts_with("backbone."); };
    const fs::path start = run_ / "start.safetensors";
    std::error_code failed;
    if (std::any_of(weights.begin(), weights.end(), of_backbone) || !fs::exists(start, failed)) return;
    edge::Weights frozen = edge_weights(read_weights(start));
    const bool ours = std::any_of(frozen.begin(), frozen.end(), of_backbone);
    for (auto& [name, weight] : frozen) {
      if (ours && !name.starts_with("backbone.")) continue;
      weights[ours ? name : "backbone." + name] = std::move(weight);
    }
  }

  /// The head's rows in the order of their classes.
  std::vector<int64_t> rows_by_class(const edge::Weights& weights) {
    labels_ = numbers("labels", *text("labels"));
    const auto head = weights.find("head.weight");
    const auto rows = head == weights.end() || head->second.shape.empty() ? 0 : head->second.shape[0];
    if (rows != std::ssize(labels_))
      refuse(fmt::format("head.weight with {} rows, as there are labels", labels_.size()),
             std::to_string(rows));
    if (rows == 0) refuse("a model that has learned a class", "none");
    std::vector<int64_t> order(labels_.size());
    std::iota(order.begin(), order.end(), int64_t{0});
    std::sort(order.begin(), order.end(), [this](int64_t a, int64_t b) { return label(a) < label(b); });
    return order;
  }
  int64_t label(int64_t row) const { return labels_[static_cast<size_t>(row)]; }

  void take_rows(edge::Weight& weight, const std::vector<int64_t>& rows, const std::string& name) const {
    if (weight.shape.empty()) return;  // a count of batches
    if (weight.shape[0] != std::ssize(rows))
      refuse(fmt::format("{} with {} rows", name, rows.size()), std::to_string(weight.shape[0]));
    const auto each = static_cast<std::ptrdiff_t>(weight.values.size() / rows.size());
    std::vector<float> sorted;
    for (const int64_t row : rows)
      sorted.insert(sorted.end(), weight.values.begin() + row * each,
                    weight.values.begin() + (row + 1) * each);
    weight.values = std::move(sorted);
  }

  std::vector<std::string> names_of(const std::vector<int64_t>& rows) const {
    const auto json = nlohmann::json::parse(text("classes").value_or(""), nullptr, false);
    std::vector<std::string> names;
    for (const int64_t row : rows) {
      const auto at = static_cast<size_t>(label(row));
      if (label(row) < 0 || !json.is_array() || at >= json.size() || !json[at].is_string())
        refuse(fmt::format("the name of class {} in the metadata (\"classes\")", label(row)), "none");
      names.push_back(json[at]);
    }
    return names;
  }

  fs::path run_, path_;
  TensorFile file_;
  std::vector<int64_t> labels_;  ///< by row
};

}  // namespace

edge::Graph learned_network(const fs::path& run) { return Reader(run).read(); }

}  // namespace perennial

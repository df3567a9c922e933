#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/bad_files.h"
#include "apps/edge_bench.h"
#include "apps/edge_export.h"
#include "apps/edge_learn.h"
#include "apps/flags.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/io/weights.h"
#include "perennial/tasks/classify/image_network.h"
#include "perennial/tasks/classify/learned_network.h"

namespace perennial::apps {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int64_t kLongestListing = int64_t{1} << 22, kLongestLabels = int64_t{1} << 24;

struct ExportArguments {
  ExportFlags flags;
  std::string run, weights, listing;
  int64_t size = 0;
};

bool knows_ranges(const edge::Graph& graph) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), [](const edge::Node& n) {
    return n.kind != edge::NodeKind::kInput && n.range.step > 0;
  });
}

// Those of a folder, or of images/ in it.
std::vector<fs::path> photographs(const std::string& folder) {
  const fs::path inside = fs::path(folder) / "images";
  return images_named({fs::is_directory(inside) ? inside : fs::path(folder)});
}

void export_run(const ExportArguments& a) {
  if (!a.weights.empty() || !a.listing.empty() || a.size > 0)
    throw std::invalid_argument("export: --weights, --listing and --size describe a network of your own; " +
                                a.run + " says all of it");
  const fs::path run(a.run);
  check_export(a.flags, false, {run / "model.safetensors", run / "start.safetensors"});
  const fs::path whole = fs::absolute(run).lexically_normal();
  const std::string name = (whole.has_filename() ? whole : whole.parent_path()).filename().string();
  export_network(learned_network(run), name, a.flags, photographs);
}

void export_weights(const ExportArguments& a) {
  const std::vector<fs::path> inputs{weights_file(a.weights), a.listing};
  check_export(a.flags, true, inputs);
  ImageNetworkOptions options{.side = a.size, .listing = {}};
  if (!a.listing.empty()) {
    options.listing = read_file(a.listing, kLongestListing);
    if (options.listing.find_first_not_of(" \t\r\n") == std::string::npos)
      throw Error({"reading a network", a.listing, "a description or a list of operations", "nothing"});
  }
  const TrainedWeights weights = read_weights(a.weights);
  const edge::Graph graph = [&] {
    try {
      return image_network(weights, options);
    } catch (const std::invalid_argument& e) {
      const std::string listing = a.listing.empty() ? "" : a.listing + " with ";
      throw Error({e.what(), listing + weights.source, "", ""});
    }
  }();
  check_export(a.flags, knows_ranges(graph), inputs);
  export_network(graph, fs::path(a.weights).stem().string(), a.flags, photographs);
}

void export_model(const ExportArguments& a) {
  if (!a.run.empty()) return export_run(a);
  if (a.weights.empty())
    throw std::invalid_argument(
        "export: say what: the folder of a run of `perennial learn`, or --weights FILE.safetensors");
  export_weights(a);
}

struct ClassifyArguments {
  std::string model, labels;
  std::vector<std::string> images;
  int64_t top = 3;
  bool as_json = false, skip_bad = false;
};

std::vector<std::string> labels_of(const std::string& path, const edge::Network& network, int output) {
  const size_t count = network.output(output).size();
  std::vector<std::string> labels;
  if (path.empty()) {
    labels = network.labels(output);
    if (!labels.empty()) return labels;
    for (size_t i = 0; i < count; ++i) labels.push_back(std::to_string(i));
    return labels;
  }
  const std::string text = read_file(path, kLongestLabels);
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    labels.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  if (labels.size() != count)
    throw Error({"reading labels", path, fmt::format("{} lines, as the model has classes", count),
                 std::to_string(labels.size())});
  return labels;
}

void classify(const ClassifyArguments& a) {
  edge::Network network(a.model);
  const int logits = network.output_named("logits");
  const auto labels = labels_of(a.labels, network, logits);
  const auto images = images_named(std::vector<fs::path>(a.images.begin(), a.images.end()));
  run_on_each(network, images, a.skip_bad, [&](const fs::path& image) {
    const auto single = network.probabilities(logits);
    const std::vector<double> p(single.begin(), single.end());
    json line{{"path", image.string()}};
    std::string text = image.string();
    for (const size_t c : best_of(p, a.top)) {
      line["classes"].push_back({{"index", c}, {"name", labels[c]}, {"probability", p[c]}});
      text += fmt::format("  {} {:.1f} %", labels[c], 100 * p[c]);
    }
    fmt::print("{}\n", a.as_json ? line.dump(-1, ' ', false, json::error_handler_t::replace) : text);
  });
}

void add_export(CLI::App& edge) {
  auto* command = edge.add_subcommand(
      "export",
      "Write a model file of the edge runtime (.peb): of a run of `perennial learn`, with its classes' names "
      "and how\n"
      "images are made its input; or of trained weights: MobileNetV1 x0.25, 8-bit weights that carry the "
      "list "
      "of their\n"
      "operations, or a network of your own that --listing describes (docs/edge.md).\n\n"
      "  perennial edge export run -o classes.peb\n"
      "  perennial edge export --weights mobilenet_v1_025_imagenet.safetensors -o mobilenet.peb\n"
      "  perennial edge export --weights mobilenet_v2_100_224_imagenet_q8.safetensors -o v2.peb --dtype int8 "
      "--calibrate photos/\n"
      "  perennial edge export --weights mine.safetensors --listing mine.json -o mine.peb\n");
  auto a = std::make_shared<ExportArguments>();
  command->add_option("RUN", a->run, "the folder of a run of `perennial learn`, finished or not");
  command->add_option("--weights", a->weights, "trained weights instead")->type_name("FILE.safetensors");
  command->add_option("--size", a->size, "side of the network's input [as trained]")
      ->check(CLI::Range(1, 4096));
  command
      ->add_option(
          "--listing", a->listing,
          "the network as text: a description of its layers, or a list of 8-bit operations [the one in the "
          "weights' metadata]")
      ->type_name("FILE.json");
  add_export_flags(*command, a->flags);
  command->callback([a] { export_model(*a); });
}

void add_classify(CLI::App& edge) {
  auto* command = edge.add_subcommand(
      "classify",
      "Say what is in an image.\n\n"
      "  perennial edge classify classes.peb photos/ --top 5 --json\n"
      "  perennial edge classify mobilenet.peb photo.jpg --labels imagenet1000_synset_words.txt\n");
  auto a = std::make_shared<ClassifyArguments>();
  command->add_option("MODEL", a->model, "the model file")->required()->type_name("MODEL.peb");
  command->add_option("IMAGE", a->images, "images or folders of them")->required();
  command->add_option("--labels", a->labels, "a line for each class [the model's own, or their numbers]")
      ->type_name("FILE");
  command->add_option("--top", a->top, "how many classes [3]")->check(CLI::Range(1, 1000000));
  add_skip_bad(*command, a->skip_bad);
  command->add_flag("--json", a->as_json, "one JSON object a line");
  command->callback([a] { classify(*a); });
}

void add_edge(CLI::App& app) {
  auto* edge = app.add_subcommand(
      "edge",
      "Classifiers of images on the edge runtime, and classes learned on the device.\n\n"
      "  perennial edge export run -o classes.peb\n"
      "  perennial edge classify classes.peb photo.jpg\n"
      "  perennial edge export --weights mobilenet_v1_025_imagenet.safetensors -o mobilenet.peb\n"
      "  perennial edge learn mugs.pec --model mobilenet.peb --class \"my mug\" mug1.jpg mug2.jpg mug3.jpg\n"
      "  perennial edge predict mugs.pec --model mobilenet.peb new.jpg\n");
  edge->require_subcommand(1);
  add_export(*edge);
  add_classify(*edge);
  add_edge_learn(*edge);
  add_edge_bench(*edge, "edge");
}

const Command kEdge(13, "edge", Command::Work::kLight, add_edge);

}  // namespace
}  // namespace perennial::apps

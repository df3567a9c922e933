#include <fmt/format.h>

#include "apps/flags.h"
#include "apps/segment_edge.h"
#include "apps/segment_masks.h"
#include "apps/segment_train.h"
#include "apps/terminal.h"
#include "edge/engine.h"
#include "perennial/io/weights.h"
#include "perennial/nn/device.h"
#include "perennial/tasks/segment/matte_eval.h"
#include "perennial/tasks/segment/matte_model.h"

namespace perennial::apps {
namespace {

struct Arguments {
  Common common;
  SinetOptions net;
  MatteDataOptions data;
  std::string weights, folder, statistics = "weights";
  int64_t threads = 0;
  bool no_gate = false, original_size = false, refine = false;
};

nlohmann::json as_json(const LayerCost& row) {
  return {{"name", row.name},     {"kind", row.kind},   {"channels", row.channels},
          {"height", row.height}, {"width", row.width}, {"parameters", row.parameters},
          {"macs", row.macs}};
}

void layers(const Arguments& a) {
  const auto rows = [&] {
    try {
      return make_sinet(a.net, 0)->layers();
    } catch (const std::invalid_argument& e) {
      throw std::invalid_argument(std::string("--height, --width: ") + e.what());
    }
  }();
  if (!a.common.json) {
    fmt::print("{}", layer_table(rows));
    return;
  }
  nlohmann::json all = nlohmann::json::array();
  for (const LayerCost& row : rows) all.push_back(as_json(row));
  fmt::print("{}\n", all.dump());
}

void print(const SegmentationScores& s, bool json) {
  if (json) {
    const nlohmann::json all{{"foreground_iou", s.foreground_iou},
                             {"miou", s.miou},
                             {"boundary_f1", s.boundary_f1},
                             {"images", s.images}};
    fmt::print("{}\n", all.dump());
    return;
  }
  fmt::print("foreground IoU {:.2f} %, mIoU {:.2f} %, boundary F1 {:.2f} % on {} images\n",
             100 * s.foreground_iou, 100 * s.miou, 100 * s.boundary_f1, s.images);
}

void eval(const Arguments& a) {
  TerminalProgress progress(a.common.quiet || a.common.json);
  use_threads(a.threads);
  const auto mattes = load_mattes(a.folder, a.data, progress);
  const bool is_model = a.weights.ends_with(".peb");
  if (a.original_size || a.refine) {
    if (!is_model)
      throw std::invalid_argument(
          "eval: --original-size and --refine need a MODEL.peb (`perennial segment export`)");
    MatteRunner runner(a.weights, {.refine = a.refine});
    return print(evaluate_mattes(runner, mattes, progress), a.common.json);
  }
  if (is_model) {
    edge::Engine engine(edge::Model::from_file(a.weights));
    return print(evaluate_mattes(engine, mattes, progress), a.common.json);
  }
  const TrainedWeights weights = read_weights(a.weights);
  SinetOptions options = a.net;
  const MatteNet trained = matte_net(weights);
  options.variant = trained.variant;
  if (trained.variant == "portrait") options.classes = trained.classes;
  options.gate = !a.no_gate && trained.gate;
  options.height = options.width = trained.size;
  const auto net = make_sinet(options, 0);
  net->load_weights(weights, weights.source);
  print(evaluate_mattes(*net, mattes, progress, a.statistics == "port" ? kSinetPortraitPort : kSinetPortrait),
        a.common.json);
}

void add_layers(CLI::App& parent) {
  auto* command =
      parent.add_subcommand("layers", "the layers of SINet: output, parameters, multiply-accumulates");
  auto a = std::make_shared<Arguments>();
  command->add_option("--variant", a->net.variant, "portrait, cityscapes or extremec3 [portrait]")
      ->check(CLI::IsMember({"portrait", "cityscapes", "extremec3"}));
  command->add_option("--height", a->net.height, "of the input, pixels [224 or 1024]")
      ->check(CLI::Range(0, 65536));
  command->add_option("--width", a->net.width, "of the input, pixels [224 or 2048]")
      ->check(CLI::Range(0, 65536));
  add_common(*command, a->common);
  command->callback([a] { layers(*a); });
}

void add_matte_eval(CLI::App& parent) {
  auto* command = parent.add_subcommand(
      "eval", "measure the mattes of SINet or ExtremeC3 on a folder of images and masks");
  auto a = std::make_shared<Arguments>();
  command->add_option("--weights", a->weights, "portrait weights, a run, or a model file of the edge runtime")
      ->type_name("FILE.safetensors|RUN|MODEL.peb")
      ->required();
  command->add_option("--data", a->folder, "images/ and masks/, or STEM.jpg with STEM.png beside it")
      ->type_name("DIR")
      ->required();
  command->add_flag("--skip-bad", a->data.skip_bad,
                    "note and leave out images and masks that cannot be decoded");
  command->add_option("--mask-threshold", a->data.threshold, "foreground is grey above this [127]");
  command
      ->add_option("--statistics", a->statistics,
                   "mean and deviation: the weights' own or another port's [weights]")
      ->check(CLI::IsMember({"weights", "port"}));
  command->add_option("--threads", a->threads, "0: one for each core [0]")->check(CLI::Range(0, 1024));
  command->add_flag("--no-gate", a->no_gate, "without information blocking (ablation)");
  command->add_flag("--original-size", a->original_size,
                    "compare at each photograph's size, as an application has it, and not at the network's");
  command->add_flag("--refine", a->refine, "and with the matte's edges drawn along the photograph's");
  add_common(*command, a->common);
  command->callback([a] { eval(*a); });
}

void add_segment(CLI::App& app) {
  auto* segment =
      app.add_subcommand("segment",
                         "People in photographs, cut out by SINet (Park et al., WACV 2020).\n\n"
                         "  perennial segment train --data DIR --out run\n"
                         "  perennial segment layers --variant portrait\n"
                         "  perennial segment eval --weights sinet_portrait.safetensors --data DIR --json\n");
  segment->require_subcommand(1);
  add_matte_train(*segment);
  add_portrait_masks(*segment);
  add_layers(*segment);
  add_matte_eval(*segment);
  add_segment_edge(*segment);
}

const Command kSegment(12, "segment", Command::Work::kComputes, add_segment);

}  // namespace
}  // namespace perennial::apps

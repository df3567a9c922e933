#include "apps/segment_edge.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/bad_files.h"
#include "apps/edge_bench.h"
#include "apps/edge_export.h"
#include "apps/flags.h"
#include "apps/terminal.h"
#include "perennial/base/bytes.h"
#include "perennial/base/clock.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/outputs.h"
#include "perennial/base/text.h"
#include "perennial/io/image_files.h"
#include "perennial/io/image_write.h"
#include "perennial/io/video.h"
#include "perennial/io/weights.h"
#include "perennial/tasks/segment/matte_data.h"
#include "perennial/tasks/segment/matte_model.h"
#include "perennial/tasks/segment/matte_runner.h"

namespace perennial::apps {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct ExportArguments {
  ExportFlags flags;
  std::string weights;
  int64_t size = 0;
};

void export_model(const ExportArguments& a) {
  if (a.size < 0)
    throw std::invalid_argument(fmt::format("--size: expected a multiple of 32, found {}", a.size));
  check_export(a.flags, false, {weights_file(a.weights)});
  const TrainedWeights weights = read_weights(a.weights);
  export_network(matte_graph(weights, a.size),
                 matte_net(weights).variant == "portrait" ? "sinet" : "extremec3", a.flags,
                 [](const std::string& folder) { return matte_photographs(folder); });
}

struct RunArguments {
  Common common;
  std::string input, out, model, background = "blur";
  bool matte_only = false, skip_bad = false;
  MatteOptions options;
};

struct Times {
  double decode = 0, composite = 0, total = 0;
  int64_t frames = 0;
};

class Segmenter {
 public:
  explicit Segmenter(const RunArguments& a)
      : a_(a),
        bad_(a.skip_bad),
        runner_(a.model.empty() ? default_matte_model() : fs::path(a.model), a.options),
        background_(Background::parse(a.background)) {}

  void photograph(const fs::path& in, const fs::path& out) {
    const double begin = steady_seconds();
    photograph(frame_of(read_image(in)), out, begin);
  }

  void photograph(Frame frame, const fs::path& out, double begin) {
    times_.decode += steady_seconds() - begin;
    runner_.forget();
    const auto& alpha = runner_.matte(frame);
    if (a_.matte_only) {
      write_image(out, {1, frame.height, frame.width, alpha});
    } else if (background_.transparent()) {
      Image image = image_of(frame);
      image.channels = 4;
      image.pixels.insert(image.pixels.end(), alpha.begin(), alpha.end());
      write_image(out, image);
    } else {
      compose(frame, alpha);
      write_image(out, image_of(frame));
    }
    count(begin);
  }

  void folder(const fs::path& in, const fs::path& out, Progress& progress) {
    const FoundImages found = images_in(in, Depth::kFolder);
    const std::string note = found.note();
    if (found.files.empty())
      throw Error({"segmenting", in.string(), "images (.jpg .png .webp ...)",
                   "none" + (note.empty() ? "" : " (" + note + ")")});
    if (!note.empty()) progress.note(in.string() + ": " + note);
    std::vector<Output> outputs;
    for (const auto& file : found.files) outputs.push_back({file, out / (file.stem().string() + ".png")});
    require_apart("segmenting", outputs);
    make_folder(out);
    const ProgressPart part(progress, "mattes", static_cast<int64_t>(outputs.size()));
    for (const auto& [file, written] : outputs) {
      if (progress.stop_requested()) throw Interrupted{};
      const double begin = steady_seconds();
      std::optional<Frame> frame;
      try {
        frame = frame_of(read_image(file));
      } catch (const Error& error) {
        bad_.add(error);
      }
      if (frame) photograph(std::move(*frame), written, begin);
      progress.advance(1);
    }
  }

  /// Throws when a photograph could not be read.
  void finish() const { bad_.finish(static_cast<size_t>(times_.frames)); }

  void video(const fs::path& in, const fs::path& out, Progress& progress) {
    const bool cut = background_.transparent() && !a_.matte_only;
    check_video_output(out, cut);
    VideoReader reader(in);
    VideoWriter writer(out, reader.shape(), in, cut);
    const ProgressPart part(progress, "frames", reader.shape().file.frames);
    Frame frame;
    for (double begin = steady_seconds(); reader.next(frame); begin = steady_seconds()) {
      if (progress.stop_requested()) throw Interrupted{};
      times_.decode += steady_seconds() - begin;
      const auto& alpha = runner_.matte(frame);
      if (a_.matte_only)
        for (size_t i = 0; i < frame.rgb.size(); ++i) frame.rgb[i] = alpha[i / 3];
      else
        compose(frame, alpha);
      writer.write(cut ? cut_out(frame, alpha) : frame.rgb, reader.time());
      count(begin);
      progress.advance(1);
    }
    writer.finish();
    if (!reader.complaint().empty())
      progress.note(fmt::format("{} is damaged: FFmpeg says {}", in.string(), reader.complaint()));
  }

  /// Of no frame there are no times: null.
  json summary() const {
    const auto& s = runner_.seconds();
    const auto each = [this](double seconds) { return 1e3 * seconds / static_cast<double>(times_.frames); };
    const double rest = times_.total - times_.decode - s.resize - s.network - times_.composite;
    return {{"frames", times_.frames},
            {"frames_per_second", static_cast<double>(times_.frames) / times_.total},
            {"decode_ms", each(times_.decode)},
            {"resize_ms", each(s.resize)},
            {"network_ms", each(s.network)},
            {"composite_ms", each(times_.composite)},
            {"write_ms", each(rest)}};
  }

 private:
  void compose(Frame& frame, const std::vector<uint8_t>& alpha) {
    const double begin = steady_seconds();
    background_.compose(frame, alpha);
    times_.composite += steady_seconds() - begin;
  }
  void count(double begin) {
    times_.total += steady_seconds() - begin;
    ++times_.frames;
  }

  const RunArguments& a_;
  BadFiles bad_;
  MatteRunner runner_;
  Background background_;
  Times times_;
};

// What can be refused before a model is opened.
void check_output(const RunArguments& a) {
  std::vector<fs::path> inputs{a.input, a.background};
  inputs.push_back(a.model.empty() ? default_matte_model() : fs::path(a.model));
  require_no_input("-o", a.out, inputs);
  if (!fs::is_directory(a.input)) {
    if (is_video_name(a.input) || is_video_name(a.out)) return;
    require_ending("-o", a.out, written_images(a.background == "transparent" && !a.matte_only));
    return;
  }
  const bool file_name = is_image_name(a.out) || is_video_name(a.out);
  if (fs::exists(a.out) ? !fs::is_directory(a.out) : file_name)
    throw std::invalid_argument(
        fmt::format("-o: expected a folder to write to, as {} is one, found '{}'", a.input, a.out));
}

void run(const RunArguments& a) {
  TerminalProgress progress(a.common.quiet);
  if (!fs::exists(a.input))
    throw Error({"segmenting", a.input, "an image, a folder or a video", "nothing there"});
  check_output(a);
  Segmenter segmenter(a);
  if (fs::is_directory(a.input))
    segmenter.folder(a.input, a.out, progress);
  else if (is_video_name(a.input) || is_video_name(a.out))
    segmenter.video(a.input, a.out, progress);
  else
    segmenter.photograph(a.input, a.out);
  const json s = segmenter.summary();
  if (s["frames"] == 0) progress.note("warning: " + a.input + " has no frame, nothing was predicted");
  if (a.common.json)
    fmt::print("{}\n", s.dump());
  else if (s["frames"] > 0)
    fmt::print(
        "{} frames, {:.1f} a second; ms a frame: decode {:.2f}, resize {:.2f}, network {:.2f}, composite "
        "{:.2f}, write {:.2f}\n",
        s["frames"].get<int64_t>(), s["frames_per_second"].get<double>(), s["decode_ms"].get<double>(),
        s["resize_ms"].get<double>(), s["network_ms"].get<double>(), s["composite_ms"].get<double>(),
        s["write_ms"].get<double>());
  segmenter.finish();
}

}  // namespace

void add_segment_edge(CLI::App& segment) {
  auto* out = segment.add_subcommand(
      "export",
      "Write a model file of the edge runtime (.peb).\n\n"
      "  perennial segment export --weights sinet_portrait.safetensors -o sinet.peb\n"
      "  perennial segment export --weights run --onnx mine.onnx\n"
      "  perennial segment export --weights sinet_portrait.safetensors -o small.peb --dtype int8 --calibrate "
      "photos/\n");
  auto e = std::make_shared<ExportArguments>();
  out->add_option("--weights", e->weights,
                  "weights of SINet or ExtremeC3 under their published names, or a run")
      ->required()
      ->type_name("FILE.safetensors|RUN");
  out->add_option("--size", e->size, "side of the network's input, a multiple of 32 [as trained: 224]");
  add_export_flags(*out, e->flags);
  out->callback([e] { export_model(*e); });

  auto* go = segment.add_subcommand(
      "run",
      "Put another background behind a person.\n\n"
      "  perennial segment run photo.jpg -o out.png --background blur\n"
      "  perennial segment run photos/ -o mattes/ --matte-only\n"
      "  perennial segment run talk.mp4 -o out.mp4 --background beach.jpg --smooth 0.5 --every 2\n"
      "  perennial segment run talk.mp4 -o cut.webm --background transparent\n");
  auto r = std::make_shared<RunArguments>();
  go->add_option("INPUT", r->input, "an image, a folder of images or a video (by FFmpeg)")->required();
  go->add_option("-o,--out", r->out, "the image (.png, .jpg, .webp), folder (of .png) or video to write")
      ->required()
      ->type_name("OUT");
  go->add_option("--model", r->model,
                 "default: $PERENNIAL_MATTE_MODEL, else models/sinet_portrait.peb in the cache folder")
      ->type_name("MODEL.peb");
  go->add_option("--background", r->background, "blur | transparent | #RRGGBB | an image [blur]")
      ->type_name("WHAT");
  add_skip_bad(*go, r->skip_bad);
  go->add_flag("--matte-only", r->matte_only, "write the matte itself, white where the person is");
  go->add_flag("--refine", r->options.refine,
               "draw the matte's edges along those of the photograph (guided filter)");
  go->add_option("--smooth", r->options.smooth,
                 "video: share of the last matte that stays, 0 to below 1 [0]");
  go->add_option("--every", r->options.every, "video: run the network on every so many frames [1]")
      ->check(CLI::Range(1, 1000000));
  add_common(*go, r->common);
  go->callback([r] { run(*r); });
  add_edge_bench(segment, "segment");
}

}  // namespace perennial::apps

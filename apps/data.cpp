#include <map>

#include <fmt/format.h>

#include "apps/flags.h"
#include "apps/terminal.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/lock.h"
#include "perennial/base/outputs.h"
#include "perennial/data/describe.h"
#include "perennial/data/split_files.h"
#include "perennial/data/stream_picture.h"
#include "perennial/io/image.h"
#include "perennial/io/image_files.h"

namespace perennial::apps {
namespace {

struct Arguments {
  Common common;
  Settings settings;
  std::string out, svg;
  int64_t width = 100;
};

// The train part as a stream would bring it.
std::vector<Task> stream_of(const ClassifyConfig& config, DataSource& source) {
  apply_noise(config.stream, config.seed(), source.train);
  return make_tasks(config.stream, config.seed(), source.train);
}

void info(const Arguments& a) {
  TerminalProgress progress(a.common.quiet);
  fmt::print("{}", describe(load_data(data_options(a.settings), progress)));
}

void show(const Arguments& a) {
  if (!a.svg.empty()) require_ending("--svg", a.svg, {".svg"});
  TerminalProgress progress(a.common.quiet);
  const auto config = make_config(a.settings);
  require_no_input("--svg", a.svg, {place_of(config->data)});
  DataSource source = load_data(config->data, progress);
  const auto tasks = stream_of(*config, source);
  if (!a.svg.empty()) write_file_atomic(a.svg, stream_svg(source.train, tasks));
  fmt::print("{}", draw_stream(source.train, tasks, static_cast<int>(a.width)));
}

void split_files(const Arguments& a) {
  TerminalProgress progress(a.common.quiet);
  const FolderLock lock(a.out, "writing split files");
  const auto config = make_config(a.settings);
  const std::string& kind = config->stream.kind;
  if (const std::string prefix = "splits:"; kind.starts_with(prefix)) {
    const std::filesystem::path read = kind.substr(prefix.size());
    require_no_input("--out", a.out, {std::filesystem::is_directory(read) ? read : read.parent_path() / "."});
  }
  DataSource source = load_data(config->data, progress);
  const auto tasks = stream_of(*config, source);
  write_split_files(a.out, split_prefix(source.train, config->stream, config->seed()), source.train, tasks);
  fmt::print("{} split files in {}\n", tasks.size(), a.out);
}

void write_images(const Dataset& set, const std::filesystem::path& folder, Progress& progress) {
  std::map<int64_t, int64_t> count;
  const ProgressPart part(progress, "writing " + folder.string(), set.size());
  for (int64_t i = 0; i < set.size(); ++i) {
    if (progress.stop_requested()) throw Interrupted{};
    const auto& name = set.class_names[set.labels[i]];
    make_folder(folder / name);
    const at::Tensor one = set.input_rows(std::span(&i, 1))[0].contiguous();
    const uint8_t* p = one.const_data_ptr<uint8_t>();
    const Image image{one.size(0), one.size(1), one.size(2), {p, p + one.numel()}};
    write_file(folder / name / fmt::format("{:06}.png", ++count[set.labels[i]]), encode_png(image));
    progress.advance(1);
  }
}

// Classes name folders. Nothing that is there is written over: it may be what is read.
void check_export(const Dataset& set, const std::filesystem::path& folder) {
  constexpr const char* kDoing = "exporting images";
  for (const std::string& name : set.class_names) {
    require_file_name(kDoing, "class", name);
    if (is_passed_over(name))
      throw Error(
          {kDoing, "", "a class whose folder would be read again", "'" + name + "', which is passed over"});
  }
  std::error_code none;
  if (std::filesystem::exists(folder) && !std::filesystem::is_empty(folder, none))
    throw Error({kDoing, folder.string(), "an empty folder, or none", "files"});
}

void export_images(const Arguments& a) {
  TerminalProgress progress(a.common.quiet);
  const DataOptions options = data_options(a.settings);
  require_outside_data("--out", a.out, options);
  const FolderLock lock(a.out, "exporting images");
  const std::filesystem::path train = std::filesystem::path(a.out) / "train",
                              test = std::filesystem::path(a.out) / "test";
  const DataSource source = load_data(options, progress);
  check_export(source.train, train);
  check_export(source.test, test);
  write_images(source.train, train, progress);
  write_images(source.test, test, progress);
  fmt::print("{} train and {} test images in {}\n", source.train.size(), source.test.size(), a.out);
}

CLI::App* add(CLI::App& parent, const std::string& name, const std::string& help,
              const std::shared_ptr<Arguments>& a, void (*work)(const Arguments&), bool stream) {
  auto* command = parent.add_subcommand(name, help);
  if (stream)
    add_config_flags(*command, a->settings);
  else
    add_data_flags(*command, a->settings);
  command->add_flag("--quiet", a->common.quiet, "no progress");
  command->callback([a, work] { work(*a); });
  return command;
}

void add_data(CLI::App& app) {
  auto* data =
      app.add_subcommand("data",
                         "Look at data and streams, write split files, export images.\n\n"
                         "  perennial data info --data folder:photos\n"
                         "  perennial data show --data digits --stream blurry10 --tasks 5\n"
                         "  perennial data split --data cifar10:DIR --stream blurry10 --seed 1 --out splits\n"
                         "  perennial data export --data digits --classes 0,1 --out first-two\n");
  data->require_subcommand(1);
  const auto fresh = [] { return std::make_shared<Arguments>(); };
  add(*data, "info", "what a data set holds", fresh(), info, false);
  auto a = fresh();
  auto* command = add(*data, "show", "draw how a stream brings its classes", a, show, true);
  command->add_option("--columns", a->width, "of the picture [100]")->check(CLI::Range(40, 1000));
  command->add_option("--svg", a->svg, "also write a picture")->type_name("FILE");
  a = fresh();
  add(*data, "split", "write a stream as split files of the Rainbow Memory form", a, split_files, true)
      ->add_option("--out", a->out, "folder to write")
      ->required();
  a = fresh();
  add(*data, "export", "write images as train/<class>/*.png and test/<class>/*.png", a, export_images, false)
      ->add_option("--out", a->out, "folder to write")
      ->required();
}

const Command kData(10, "data", Command::Work::kLight, add_data);

}  // namespace
}  // namespace perennial::apps

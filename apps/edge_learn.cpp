#include "apps/edge_learn.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "apps/bad_files.h"
#include "apps/flags.h"
#include "perennial/base/clock.h"
#include "perennial/base/files.h"
#include "perennial/base/lock.h"
#include "perennial/base/outputs.h"
#include "perennial/base/utf8.h"
#include "perennial/io/frame.h"

namespace perennial::apps {

void run_on_each(edge::Network& network, const std::vector<std::filesystem::path>& images, bool skip_bad,
                 const std::function<void(const std::filesystem::path&)>& use) {
  BadFiles bad(skip_bad);
  size_t good = 0;
  for (const auto& image : images) {
    Frame frame;
    try {
      frame = frame_of(read_image(image));
    } catch (const Error& error) {
      bad.add(error);
      continue;
    }
    network.run(frame.rgb, static_cast<int>(frame.width), static_cast<int>(frame.height));
    use(image);
    ++good;
  }
  bad.finish(good);
}

std::vector<size_t> best_of(const std::vector<double>& values, int64_t top) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  const auto count = std::min(static_cast<size_t>(top), order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](size_t l, size_t r) { return values[l] > values[r]; });
  order.resize(count);
  return order;
}

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Arguments {
  std::string state, model, name, output = "features";
  std::vector<std::string> images;
  int64_t top = 1;
  bool as_json = false, skip_bad = false;
};

// The state that is read, changed and written again, which one process at a time may do: whatever name it
// goes by.
FileLock lock_state(const Arguments& a) {
  const fs::path state = followed(a.state);
  std::error_code failed;
  const fs::path whole = fs::weakly_canonical(state, failed);
  return FileLock((failed ? state : whole).string() + ".lock", "changing what was learned", a.state);
}

// A network and the classes that are learned on one of its outputs.
struct Learner {
  explicit Learner(const Arguments& a)
      : network(a.model), output(output_of(network, a.output)), classes(a.state, network, output) {}

  static int output_of(const edge::Network& network, const std::string& name) {
    try {
      return network.output_named(name.c_str());
    } catch (const std::runtime_error& e) {
      throw std::invalid_argument(std::string("--output: ") + e.what());
    }
  }

  edge::Network network;
  int output;
  edge::Classes classes;
};

std::vector<fs::path> images_of(const Arguments& a) {
  return images_named(std::vector<fs::path>(a.images.begin(), a.images.end()));
}

void require_text(const std::string& name) {
  if (!is_utf8(name))
    throw std::invalid_argument(fmt::format("--class: expected text in UTF-8, found '{}'", visible(name)));
}

void learn(const Arguments& a) {
  require_text(a.name);
  if (!fs::exists(a.state)) require_ending("STATE", a.state, {".pec"});
  const FileLock lock = lock_state(a);
  Learner learner(a);
  double network = 0, update = 0;
  size_t images = 0;
  double since = steady_seconds();
  // Nothing is saved when a bad image is to fail the command.
  run_on_each(learner.network, images_of(a), a.skip_bad, [&](const fs::path&) {
    const double ran = steady_seconds();
    learner.classes.learn(a.name, learner.network.output(learner.output));
    network += ran - since;
    since = steady_seconds();
    update += since - ran;
    ++images;
  });
  const double begin = steady_seconds();
  learner.classes.save();
  const double save = steady_seconds() - begin, count = static_cast<double>(images);
  const json out{{"class", a.name},
                 {"images", images},
                 {"classes", learner.classes.size()},
                 {"bytes", pe_classes_bytes(learner.classes.get())},
                 {"image_ms", 1e3 * network / count},
                 {"update_ms", 1e3 * update / count},
                 {"save_ms", 1e3 * save}};
  if (a.as_json) return fmt::print("{}\n", out.dump());
  fmt::print(
      "{}: {} of {} classes, {} more image{}; ms an image: read and run {:.2f}, learn {:.4f}; save {:.2f}\n",
      a.state, a.name, learner.classes.size(), images, images == 1 ? "" : "s", 1e3 * network / count,
      1e3 * update / count, 1e3 * save);
}

void predict(const Arguments& a) {
  Learner learner(a);
  run_on_each(learner.network, images_of(a), a.skip_bad, [&](const fs::path& image) {
    const auto similar = learner.classes.similarities(learner.network.output(learner.output));
    json line{{"path", image.string()}};
    std::string text = image.string();
    for (const size_t c : best_of({similar.begin(), similar.end()}, a.top)) {
      const std::string name = learner.classes.name(static_cast<int>(c));
      const double similarity = similar[c];
      line["classes"].push_back({{"name", name}, {"similarity", similarity}});
      text += fmt::format("  {} {:.3f}", name, similarity);
    }
    fmt::print("{}\n", a.as_json ? line.dump(-1, ' ', false, json::error_handler_t::replace) : text);
  });
}

void forget(const Arguments& a) {
  const FileLock lock = lock_state(a);
  Learner learner(a);
  learner.classes.forget(a.name);
  learner.classes.save();
  fmt::print("{}: {} classes\n", a.state, learner.classes.size());
}

std::shared_ptr<Arguments> add_state(CLI::App& command) {
  auto a = std::make_shared<Arguments>();
  command.add_option("STATE", a->state, "the file of learned classes")->required()->type_name("STATE.pec");
  command.add_option("--model", a->model, "the model file that gives the features")
      ->required()
      ->type_name("MODEL.peb");
  command.add_option("--output", a->output, "which of the model's outputs they are [features]");
  return a;
}

}  // namespace

void add_edge_learn(CLI::App& edge) {
  auto* teach = edge.add_subcommand(
      "learn",
      "Learn a class from a few images, or more images of one: nearest class mean on the model's "
      "features.\n\n"
      "  perennial edge learn mugs.pec --model mobilenet.peb --class \"my mug\" mug1.jpg mug2.jpg mug3.jpg\n"
      "  perennial edge learn mugs.pec --model mobilenet.peb --class yours photos/yours/\n");
  auto l = add_state(*teach);
  teach->add_option("--class", l->name, "its name; a new one begins a new class")
      ->required()
      ->type_name("NAME");
  teach->add_option("IMAGE", l->images, "images or folders of them")->required();
  add_skip_bad(*teach, l->skip_bad);
  teach->add_flag("--json", l->as_json, "as JSON: class images classes bytes image_ms update_ms save_ms");
  teach->callback([l] { learn(*l); });

  auto* guess =
      edge.add_subcommand("predict",
                          "Say which learned class an image is most like, and the cosine to it.\n\n"
                          "  perennial edge predict mugs.pec --model mobilenet.peb new.jpg\n"
                          "  perennial edge predict mugs.pec --model mobilenet.peb photos/ --top 3 --json\n");
  auto p = add_state(*guess);
  guess->add_option("IMAGE", p->images, "images or folders of them")->required();
  guess->add_option("--top", p->top, "how many classes [1]")->check(CLI::Range(1, 1000000));
  add_skip_bad(*guess, p->skip_bad);
  guess->add_flag("--json", p->as_json, "one JSON object a line");
  guess->callback([p] { predict(*p); });

  auto* drop = edge.add_subcommand("forget",
                                   "Forget a learned class.\n\n"
                                   "  perennial edge forget mugs.pec --model mobilenet.peb --class yours\n");
  auto f = add_state(*drop);
  drop->add_option("--class", f->name, "its name")->required()->type_name("NAME");
  drop->callback([f] { forget(*f); });
}

}  // namespace perennial::apps

#include "perennial/run/matte_run.h"

#include <fmt/format.h>

#include "perennial/base/clock.h"
#include "perennial/base/error.h"
#include "perennial/base/log.h"
#include "perennial/base/random.h"
#include "perennial/data/hold_out.h"
#include "perennial/io/weights.h"
#include "perennial/run/places.h"
#include "perennial/tasks/matte_eval.h"
#include "perennial/tasks/matte_model.h"

namespace perennial {
namespace {

constexpr int64_t kPictures = 12;

struct Split {
  std::vector<Matte> train, held_out;
};

Split load_split(const std::string& folder, const MatteConfig& config, Progress& progress) {
  Split split;
  std::vector<Matte> mattes = load_mattes(folder, {config.mask_threshold, config.skip_bad}, progress);
  std::vector<uint64_t> contents;
  for (const Matte& matte : mattes) contents.push_back(matte.content);
  const double share = config.hold_out > 0 ? 1 / static_cast<double>(config.hold_out) : 0;
  const std::vector<bool> out = held_out(contents, share);
  for (size_t i = 0; i < mattes.size(); ++i)
    (out[i] ? split.held_out : split.train).push_back(std::move(mattes[i]));
  if (split.train.empty())
    throw Error({"loading images and masks", folder, "photographs to train on",
                 fmt::format("none ({} held out)", split.held_out.size())});
  return split;
}

// What the weights are of is what is trained.
MatteConfig with_network_of(const TensorFile& weights, MatteConfig config) {
  const MatteNet net = matte_net(weights);
  config.train.net = net.variant;
  if (net.variant == "portrait") config.train.classes = net.classes;
  return config;
}

// Rows of a memory as photographs of their own.
void append(const Samples& samples, std::vector<Matte>& to) {
  for (int64_t i = 0; i < samples.size(); ++i) {
    const at::Tensor image = samples.tensor(column::kImage).select(0, i),
                     mask = samples.tensor(column::kMask).select(0, i);
    Matte m{"", samples.ids()[static_cast<size_t>(i)], {3, image.size(1), image.size(2), {}}, {}};
    m.image.pixels.assign(image.const_data_ptr<uint8_t>(), image.const_data_ptr<uint8_t>() + image.numel());
    m.mask.assign(mask.const_data_ptr<uint8_t>(), mask.const_data_ptr<uint8_t>() + mask.numel());
    to.push_back(std::move(m));
  }
}

// Evenly spaced ones, for pictures.
std::vector<Matte> some(const std::vector<Matte>& mattes) {
  const auto all = static_cast<int64_t>(mattes.size()), n = std::min(all, kPictures);
  std::vector<Matte> chosen;
  for (int64_t i = 0; i < n; ++i) chosen.push_back(mattes[static_cast<size_t>(i * all / n)]);
  return chosen;
}

// Of the photographs and masks, in their order.
uint64_t hash_of(const Split& split) {
  uint64_t hash = 0;
  const auto add = [&](const std::vector<uint8_t>& bytes) {
    hash = hash64({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, hash);
  };
  for (const auto* part : {&split.train, &split.held_out})
    for (const Matte& matte : *part) {
      hash = mix64(hash, static_cast<uint64_t>(matte.id));
      add(matte.image.pixels);
      add(matte.mask);
    }
  return hash;
}

MatteConfig named_from_root(MatteConfig config) {
  config.data = path_from_root("data", config.data);
  config.weights = path_from_root("weights", config.weights);
  return config;
}

}  // namespace

MatteRun::MatteRun(MatteConfig config, std::filesystem::path folder, Progress& progress)
    : ResumableRun(std::move(folder), progress),
      config_(std::move(config)),
      trainer_(config_.train, static_cast<uint64_t>(config_.seed)),
      memory_(MemoryBudget::parse(config_.memory)),
      policy_(make_policy({}, static_cast<uint64_t>(config_.seed))) {
  use_threads(config_.threads);
}

std::unique_ptr<MatteRun> MatteRun::create(const MatteConfig& given, const std::filesystem::path& folder,
                                           Progress& progress) {
  const MatteConfig asked = named_from_root(given);
  TrainedWeights weights;
  if (!asked.weights.empty()) weights = read_weights(asked.weights);
  const MatteConfig config = asked.weights.empty() ? asked : with_network_of(weights, asked);
  std::unique_ptr<MatteRun> run(new MatteRun(config, folder, progress));
  run->claim(write_toml(run->config_.table()));
  if (!config.weights.empty()) run->trainer_.net().load_weights(weights, weights.source);
  run->chunks_.push_back({.data = config.data});
  run->load_chunk();
  run->trainer_.begin(matte_stages(config.train), run->train_);
  run->begin();
  run->warn_of_no_test();
  log_info(fmt::format("mattes from {}: {} photographs, {} held out", config.data, run->fresh_,
                       run->held_out_.size()));
  return run;
}

std::unique_ptr<MatteRun> MatteRun::open(const std::filesystem::path& folder, const Settings& overrides,
                                         Progress& progress) {
  const Settings settings = settings_of_run(folder, overrides, MatteConfig::changeable());
  std::unique_ptr<MatteRun> run(new MatteRun(make_matte_config(settings), folder, progress));
  run->load(run->reopen(Access::kChange));
  return run;
}

void MatteRun::begin_update(const std::string& data) {
  if (!finished_)
    throw Error({"updating the run", folder_.string(), "a finished run",
                 "one that stopped (use `perennial resume` first)"});
  const double began = steady_seconds();
  chunks_.push_back({.data = path_from_root("data", data)});
  load_chunk();
  finished_ = begun_ = false;
  MatteStage stage = matte_stages(config_.train).back();
  stage.name = "update";
  stage.lr = config_.update_lr > 0 ? config_.update_lr : stage.lr / 4;
  stage.epochs = config_.update_epochs;
  trainer_.begin({stage}, train_);
  restart_chunk_clock(steady_seconds() - began);
  warn_of_no_test();
  log_info(fmt::format("update {} with {}: {} photographs, {} held out", chunks_.size() - 1, data, fresh_,
                       held_out_.size()));
  checkpoint();
}

void MatteRun::find_at(const std::string& data) { chunks_.back().data = path_from_root("data", data); }

void MatteRun::prepare() {
  if (!train_.empty()) return;
  const Chunk expected = chunks_.back();
  if (!std::filesystem::exists(expected.data))
    throw Error(
        {"resuming the run", expected.data, "the photographs that it began with",
         fmt::format("none (`perennial resume {} --data DIR` says where they lie now)", folder_.string())});
  load_chunk();
  const Chunk& found = chunks_.back();
  const int64_t began_with = expected.images + expected.held_out, are_here = found.images + found.held_out;
  if (are_here != began_with)
    throw Error({"resuming the run", expected.data,
                 fmt::format("the {} photographs that it began with", began_with),
                 fmt::format("{}", are_here)});
  if (found.images != expected.images || (expected.hash != 0 && found.hash != expected.hash))
    throw Error({"resuming the run", expected.data, "the photographs that it began with", "others"});
}

void MatteRun::load_chunk() {
  Split split = load_split(chunks_.back().data, config_, progress_);
  chunks_.back().hash = hash_of(split);
  train_ = std::move(split.train);
  held_out_ = std::move(split.held_out);
  fresh_ = train_.size();
  chunks_.back().images = static_cast<int64_t>(fresh_);
  chunks_.back().held_out = static_cast<int64_t>(held_out_.size());
  if (config_.learner == "er") append(memory_.samples(), train_);
}

void MatteRun::warn_of_no_test() const {
  if (held_out_.empty())
    log_warning(fmt::format("{}: no photograph is held out, no matte can be measured", chunks_.back().data));
}

void MatteRun::step() {
  const int64_t every = config_.eval_every, epochs = trainer_.epochs_done();
  if (!begun_)
    measure_before();
  else if (trainer_.done())
    finish_chunk();
  else if (every > 0 && epochs / every > measured_ / every)
    measure_now();
  else
    train();
}

SegmentationScores MatteRun::measure(const std::vector<Matte>& mattes) {
  return evaluate_mattes(trainer_.net(), mattes, progress_);
}

void MatteRun::measure_before() {
  chunks_.back().before = measure(held_out_);
  sheet_ = {};
  if (const auto shown = some(held_out_); !shown.empty()) {
    const MatteBatch batch = matte_batch(shown, 0, shown.size(), config_.train.size);
    sheet_.begin(batch.images, batch.masks, predict_mattes(trainer_.net(), batch.images));
  }
  measured_ = trainer_.epochs_done();
  begun_ = true;
}

void MatteRun::train() {
  const double rate = trainer_.learning_rate();
  last_loss_ = trainer_.train_epoch(train_, fresh_, progress_);
  scalar("train/loss", trainer_.epochs_done(), last_loss_);
  scalar("train/lr", trainer_.epochs_done(), rate);
}

void MatteRun::measure_now() { add_point(measure(held_out_)); }

void MatteRun::add_point(const SegmentationScores& s) {
  measured_ = trainer_.epochs_done();
  if (s.images == 0) return;
  chunks_.back().curve.push_back({{"epoch", measured_},
                                  {"loss", last_loss_},
                                  {"foreground_iou", s.foreground_iou},
                                  {"miou", s.miou},
                                  {"boundary_f1", s.boundary_f1}});
  scalar("foreground_iou", measured_, s.foreground_iou);
  const std::string line =
      fmt::format("epoch {}: loss {:.4f}, foreground IoU {:.2f} % on {} held-out photographs", measured_,
                  last_loss_, 100 * s.foreground_iou, s.images);
  progress_.note(line);
  log_info(line);
}

void MatteRun::finish_chunk() {
  std::vector<Scores> after;
  for (size_t i = 0; i + 1 < chunks_.size(); ++i) {
    try {
      after.emplace_back(measure(load_split(chunks_[i].data, config_, progress_).held_out));
    } catch (const Error& e) {
      log_warning(fmt::format("{} cannot be measured any more: {}", chunks_[i].data, e.what()));
      after.emplace_back();
    }
  }
  after.emplace_back(measure(held_out_));
  add_point(*after.back());
  if (!sheet_.empty()) {
    const auto shown = some(held_out_);
    const MatteBatch batch = matte_batch(shown, 0, shown.size(), config_.train.size);
    sheet_.now(predict_mattes(trainer_.net(), batch.images));
  }
  remember();
  chunks_.back().after = std::move(after);
  show_results();
  chunks_.back().seconds = chunk_seconds();
  finished_ = true;
  log_info("finished");
}

void MatteRun::show_results() {
  const std::vector<Scores>& after = chunks_.back().after;
  const int64_t epochs = trainer_.epochs_done();
  for (size_t i = 0; i < after.size(); ++i)
    if (after[i]) scalar(fmt::format("foreground_iou/data_{}", i + 1), epochs, after[i]->foreground_iou);
  if (const auto lost = forgetting()) scalar("forgetting", epochs, *lost);
  scalar("memory/samples", epochs, static_cast<double>(memory_.size()));
  if (!sheet_.empty()) picture("mattes", epochs, sheet_.picture());
}

void MatteRun::remember() {
  for (size_t i = 0; i < fresh_; ++i) {
    const MatteBatch one = matte_batch(train_, i, i + 1, config_.train.size);
    policy_->offer(memory_, {{train_[i].id}, {{column::kImage, one.images}, {column::kMask, one.masks}}});
  }
}

}  // namespace perennial

#include "perennial/nn/sinet.h"

#include <stdexcept>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv_transpose2d.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <fmt/format.h>

#include "perennial/nn/extremec3.h"
#include "perennial/nn/init.h"
#include "perennial/nn/load_weights.h"
#include "perennial/nn/sinet_blocks.h"

namespace perennial {
namespace {

/// Down-sampling, S2-modules, and what both give side by side.
struct StageSpec {
  int64_t in, down, divisor;
  std::vector<S2ModuleSpec> modules;
};

struct StageOutput {
  at::Tensor fine;    ///< of the last module
  at::Tensor joined;  ///< down-sampled map and `fine`, normalised
};

std::string kind_of(const S2ModuleSpec& spec, bool residual) {
  return fmt::format("S2-module ({},{})({},{}){}", spec.first.kernel, spec.first.pool, spec.second.kernel,
                     spec.second.pool, residual ? " residual" : "");
}

class Stage {
 public:
  Stage(const Scope& encoder, int level, const StageSpec& spec, bool separable)
      : spec_(spec),
        name_((encoder / "level").name + std::to_string(level)),
        join_name_((encoder / "BR").name + std::to_string(level)),
        down_(Scope{encoder.tensors, encoder.seed, name_ + "_0"}, spec.in, spec.down, spec.divisor) {
    const Scope here{encoder.tensors, encoder.seed, name_};
    int64_t in = spec.down;
    for (const S2ModuleSpec& module : spec.modules) {
      modules_.emplace_back(here / std::to_string(modules_.size()), in, module, separable);
      in = module.out;
    }
    join_.emplace(Scope{encoder.tensors, encoder.seed, join_name_}, joined_channels());
  }

  int64_t fine_channels() const { return spec_.modules.back().out; }
  int64_t joined_channels() const { return spec_.down + fine_channels(); }

  StageOutput forward(const at::Tensor& x, bool training) {
    const at::Tensor down = down_.forward(x, training);
    at::Tensor y = down;
    for (S2Module& module : modules_) y = module.forward(y, training);
    return {y, join_->forward(at::cat({down, y}, 1), training)};
  }

  void list(std::vector<LayerCost>& rows, MapSize in) const {
    const MapSize half = in.over(2);
    const auto add = [&](const std::string& name, const std::string& kind, int64_t channels, int64_t macs) {
      rows.push_back({name, kind, channels, half.height, half.width, 0, macs});
    };
    add(name_ + "_0", fmt::format("down SE/{}", spec_.divisor), spec_.down, down_.macs(in));
    int64_t channels = spec_.down;
    for (size_t i = 0; i < modules_.size(); ++i) {
      const S2ModuleSpec& module = spec_.modules[i];
      add(fmt::format("{}.{}", name_, i), kind_of(module, channels == module.out), module.out,
          modules_[i].macs(half));
      channels = module.out;
    }
    add(join_name_, "concatenate, BN, PReLU", joined_channels(), 0);
  }

 private:
  StageSpec spec_;
  std::string name_, join_name_;
  SqueezeDown down_;
  std::vector<S2Module> modules_;
  std::optional<NormPRelu> join_;
};

// Detail where the coarse map is unsure: fine * gate + coarse.
at::Tensor admit(const at::Tensor& fine, const at::Tensor& coarse, bool gate) {
  return (gate ? fine.mul(blocking_map(coarse)) : fine).add(coarse);
}

const StageSpec kPortrait2{12, 16, 1, {{48, {3, 1}, {5, 1}}, {48, {3, 1}, {3, 1}}}};
const StageSpec kPortrait3{64,
                           48,
                           2,
                           {{96, {3, 1}, {5, 1}},
                            {96, {3, 1}, {3, 1}},
                            {96, {5, 1}, {3, 2}},
                            {96, {5, 2}, {3, 4}},
                            {96, {3, 1}, {3, 1}},
                            {96, {5, 1}, {5, 1}},
                            {96, {3, 2}, {3, 4}},
                            {96, {3, 1}, {5, 2}}}};

class PortraitSinet final : public Sinet {
 public:
  PortraitSinet(const SinetOptions& options, uint64_t seed)
      : Sinet(options),
        root_{tensors_, seed},
        stem_(root_ / "encoder" / "level1", {3, kPortrait2.in, 3, 2}),
        level2_(root_ / "encoder", 2, kPortrait2, false),
        level3_(root_ / "encoder", 3, kPortrait3, false),
        coarse_(root_ / "encoder" / "classifier" / "conv", {level3_.joined_channels(), options.classes, 1}),
        coarse_norm_(root_ / "bn_3", options.classes, kSinetNorm),
        lateral_(root_ / "level2_C", {level2_.fine_channels(), options.classes, 1}),
        fine_norm_(root_ / "bn_2", options.classes, kSinetNorm),
        output_(root_ / "classifier" / "1", {options.classes, options.classes, 3}) {}

  at::Tensor encode(const at::Tensor& x, bool training) override { return encoded(x, training).second; }

  SinetOutput forward(const at::Tensor& x, bool training) override {
    const auto [fine, coarse] = encoded(x, training);
    const at::Tensor d1 = coarse_norm_.forward(enlarge(coarse, 2, true), training);
    const at::Tensor mixed = admit(lateral_.forward(fine, training), d1, options_.gate);
    const at::Tensor d2 = fine_norm_.forward(enlarge(mixed, 2, true), training);
    return {output_.forward(enlarge(d2, 2, true)), coarse};
  }

  std::vector<LayerCost> layers() const override {
    const MapSize full{options_.height, options_.width}, half = full.over(2), quarter = full.over(4),
                                                         eighth = full.over(8);
    const int64_t k = options_.classes;
    std::vector<LayerCost> rows;
    const auto add = [&](const char* name, const char* kind, int64_t channels, MapSize out, int64_t macs) {
      rows.push_back({name, kind, channels, out.height, out.width, 0, macs});
    };
    add("encoder.level1", "convolution 3x3 stride 2, BN, PReLU", kPortrait2.in, half, stem_.macs(full));
    level2_.list(rows, half);
    level3_.list(rows, quarter);
    add("encoder.classifier", "convolution 1x1", k, eighth,
        coarse_.shape().macs(eighth.height, eighth.width));
    add("bn_3", "enlarge x2, BN", k, quarter, 0);
    add("level2_C", "convolution 1x1, BN, PReLU", k, quarter, lateral_.macs(quarter));
    add("bn_2", "information blocking, enlarge x2, BN", k, half, 0);
    add("classifier", "enlarge x2, convolution 3x3", k, full, output_.shape().macs(full.height, full.width));
    count_parameters(rows, tensors_);
    return rows;
  }

 private:
  // The fine map of level 2 and the coarse logits.
  std::pair<at::Tensor, at::Tensor> encoded(const at::Tensor& x, bool training) {
    const StageOutput level2 = level2_.forward(stem_.forward(x, training), training);
    return {level2.fine, coarse_.forward(level3_.forward(level2.joined, training).joined)};
  }

  Scope root_;
  ConvNormPRelu stem_;
  Stage level2_, level3_;
  Conv coarse_;
  BatchNorm coarse_norm_;
  ConvNormPRelu lateral_;
  BatchNorm fine_norm_;
  Conv output_;
};

constexpr int64_t kCityStem = 16, kCityLevel2 = 19;
const StageSpec kCity3{
    kCityLevel2, 24, 1, {{60, {3, 1}, {5, 1}}, {60, {3, 0}, {3, 1}}, {60, {3, 0}, {3, 1}}}};
const StageSpec kCity4{84,
                       60,
                       2,
                       {{84, {3, 1}, {5, 1}},
                        {84, {3, 0}, {3, 1}},
                        {84, {5, 1}, {5, 4}},
                        {84, {3, 2}, {5, 8}},
                        {84, {3, 1}, {5, 1}},
                        {108, {3, 1}, {5, 1}},
                        {108, {3, 0}, {3, 1}},
                        {108, {5, 1}, {5, 8}},
                        {108, {3, 2}, {5, 4}},
                        {108, {3, 0}, {5, 2}}}};

class CityscapesSinet final : public Sinet {
 public:
  CityscapesSinet(const SinetOptions& options, uint64_t seed)
      : Sinet(options),
        root_{tensors_, seed},
        stem_(root_ / "encoder" / "level1", {3, kCityStem, 3, 2}),
        level2_(root_ / "encoder" / "level2_0", kCityStem, kCityLevel2, 1),
        level3_(root_ / "encoder", 3, kCity3, true),
        level4_(root_ / "encoder", 4, kCity4, true),
        coarse_(root_ / "encoder" / "classifier" / "conv", {level4_.joined_channels(), options.classes, 1}),
        coarse_norm_(root_ / "bn_4", options.classes, kSinetNorm),
        lateral_(root_ / "level3_C", {level3_.fine_channels(), options.classes, 1}),
        fine_norm_(root_ / "bn_3", options.classes, kSinetNorm),
        output_(tensors_.parameter(
            "classifier.weight",
            kaiming_normal({options.classes, options.classes, 2, 2}, 1, seed, "classifier"))) {}

  at::Tensor encode(const at::Tensor& x, bool training) override { return encoded(x, training).coarse; }

  SinetOutput forward(const at::Tensor& x, bool training) override {
    const Encoded e = encoded(x, training);
    const at::Tensor d1 = coarse_norm_.forward(enlarge(e.coarse, 2, false), training);
    const at::Tensor mixed = admit(lateral_.forward(e.level3, training), d1, options_.gate);
    const at::Tensor d2 = fine_norm_.forward(enlarge(mixed, 2, false), training);
    const at::Tensor d3 = admit(e.level2, d2, options_.gate);
    return {at::conv_transpose2d(d3, output_, {}, {2, 2}), e.coarse};
  }

  std::vector<LayerCost> layers() const override {
    const MapSize full{options_.height, options_.width}, half = full.over(2), quarter = full.over(4),
                                                         eighth = full.over(8), sixteenth = full.over(16);
    const int64_t k = options_.classes;
    std::vector<LayerCost> rows;
    const auto add = [&](const char* name, const char* kind, int64_t channels, MapSize out, int64_t macs) {
      rows.push_back({name, kind, channels, out.height, out.width, 0, macs});
    };
    add("encoder.level1", "convolution 3x3 stride 2, BN, PReLU", kCityStem, half, stem_.macs(full));
    add("encoder.level2_0", "down SE/1", kCityLevel2, quarter, level2_.macs(half));
    level3_.list(rows, quarter);
    level4_.list(rows, eighth);
    add("encoder.classifier", "convolution 1x1", k, sixteenth,
        coarse_.shape().macs(sixteenth.height, sixteenth.width));
    add("bn_4", "enlarge x2, BN", k, eighth, 0);
    add("level3_C", "convolution 1x1, BN, PReLU", k, eighth, lateral_.macs(eighth));
    add("bn_3", "information blocking, enlarge x2, BN", k, quarter, 0);
    add("classifier", "information blocking, transposed convolution 2x2", k, half,
        output_.numel() * quarter.height * quarter.width);
    count_parameters(rows, tensors_);
    return rows;
  }

 private:
  struct Encoded {
    at::Tensor level2, level3, coarse;
  };

  Encoded encoded(const at::Tensor& x, bool training) {
    const at::Tensor level2 = level2_.forward(stem_.forward(x, training), training);
    const StageOutput level3 = level3_.forward(level2, training);
    return {level2, level3.fine, coarse_.forward(level4_.forward(level3.joined, training).joined)};
  }

  Scope root_;
  ConvNormPRelu stem_;
  SqueezeDown level2_;
  Stage level3_, level4_;
  Conv coarse_;
  BatchNorm coarse_norm_;
  ConvNormPRelu lateral_;
  BatchNorm fine_norm_;
  at::Tensor output_;
};

/// The options with the variant's own values in place of zeros.
SinetOptions resolved(SinetOptions options) {
  const bool city = options.variant == "cityscapes", c3 = options.variant == "extremec3";
  if (!city && !c3 && options.variant != "portrait")
    throw std::invalid_argument("unknown variant '" + options.variant +
                                "' (there are: portrait, cityscapes, extremec3)");
  if (options.classes == 0) options.classes = city ? kCityLevel2 : c3 ? 1 : 2;
  if (options.height == 0) options.height = city ? 1024 : 224;
  if (options.width == 0) options.width = city ? 2048 : 224;
  return options;
}

void check(const SinetOptions& options) {
  const bool city = options.variant == "cityscapes";
  const int64_t step = city ? 128 : 32;
  if (options.height < step || options.width < step || options.height % step != 0 ||
      options.width % step != 0)
    throw std::invalid_argument(fmt::format("SINet ({}) takes sides that are multiples of {}, not {} x {}",
                                            options.variant, step, options.height, options.width));
  if (options.classes < 1) throw std::invalid_argument("SINet needs one class or more");
  if (city && options.classes != kCityLevel2)
    throw std::invalid_argument("SINet (cityscapes) adds its level 2 to the logits: it has 19 classes");
}

}  // namespace

void Sinet::load_weights(const TensorFile& weights, const std::string& source) {
  constexpr double kNegligible = 1e-12;
  const at::NoGradGuard no_grad;
  perennial::load_weights(tensors_, weights.tensors, "", source);
  for (const NamedTensor& t : tensors_.all()) t.value.mul_(t.value.abs().ge(kNegligible));
}

std::unique_ptr<Sinet> make_sinet(const SinetOptions& options, uint64_t seed) {
  const SinetOptions chosen = resolved(options);
  check(chosen);
  if (chosen.variant == "cityscapes") return std::make_unique<CityscapesSinet>(chosen, seed);
  if (chosen.variant == "extremec3") return make_extremec3(chosen, seed);
  return std::make_unique<PortraitSinet>(chosen, seed);
}

/// Parameters of each row: those of the tensors that its name is a prefix of.
void count_parameters(std::vector<LayerCost>& rows, const TensorList& tensors) {
  for (LayerCost& row : rows)
    for (const NamedTensor& t : tensors.all())
      if (t.trainable && t.name.starts_with(row.name + ".")) row.parameters += t.value.numel();
}

at::Tensor blocking_map(const at::Tensor& logits) {
  if (logits.size(1) > 1) return at::softmax(logits, 1).amax(1, true).neg().add(1);
  const at::Tensor p = at::sigmoid(logits);
  return at::maximum(p, p.neg().add(1)).neg().add(1);
}

std::string layer_table(const std::vector<LayerCost>& layers) {
  std::string text =
      fmt::format("{:<20} {:<50} {:>14} {:>10} {:>10}\n", "layer", "kind", "output", "parameters", "MMAC");
  int64_t parameters = 0, macs = 0;
  for (const LayerCost& row : layers) {
    text += fmt::format("{:<20} {:<50} {:>14} {:>10} {:>10.3f}\n", row.name, row.kind,
                        fmt::format("{}x{}x{}", row.channels, row.height, row.width), row.parameters,
                        static_cast<double>(row.macs) / 1e6);
    parameters += row.parameters;
    macs += row.macs;
  }
  return text + fmt::format("{:<20} {:<50} {:>14} {:>10} {:>10.3f}\n", "total", "", "", parameters,
                            static_cast<double>(macs) / 1e6);
}

}  // namespace perennial

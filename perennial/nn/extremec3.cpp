#include "perennial/nn/extremec3.h"

#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include "perennial/nn/sinet_blocks.h"

namespace perennial {
namespace {

constexpr NormOptions kInnerNorm{1e-5, 0.1};

/// Concentrated-comprehensive convolution: a column and a row of 2 d - 1 gather what a depthwise 3x3 of
/// dilation d would miss between its taps; a 1x1 convolution mixes the channels.
class C3Block {
 public:
  C3Block(const Scope& scope, int64_t in, int64_t out, int64_t dilation) {
    const Scope here = scope / "conv";
    const int64_t k = 2 * dilation - 1;
    if (dilation > 1) {
      gather_.emplace(
          Gather{{here / "0", here / "1", {in, in, k, 1, in, false, 1}, kInnerNorm, Activation::kNone},
                 {here / "2", in},
                 {here / "3", here / "4", {in, in, 1, 1, in, false, k}, kInnerNorm, Activation::kNone}});
    }
    spread_.emplace(here / (dilation > 1 ? "5" : "0"), ConvShape{in, in, 3, 1, in, false, 0, dilation});
    mix_.emplace(here / (dilation > 1 ? "6" : "1"), ConvShape{in, out, 1});
  }

  at::Tensor forward(const at::Tensor& x, bool training) {
    at::Tensor y = x;
    if (gather_)
      y = gather_->row.forward(gather_->activation.forward(gather_->column.forward(x, training)), training);
    return mix_->forward(spread_->forward(y));
  }

  int64_t macs(MapSize in) const {
    int64_t sum = spread_->shape().macs(in.height, in.width) + mix_->shape().macs(in.height, in.width);
    if (gather_)
      sum +=
          gather_->column.shape().macs(in.height, in.width) + gather_->row.shape().macs(in.height, in.width);
    return sum;
  }

 private:
  struct Gather {
    ConvNorm column;
    PRelu activation;
    ConvNorm row;
  };
  std::optional<Gather> gather_;
  std::optional<Conv> spread_, mix_;
};

struct C3Spec {
  int64_t in, reduced, out;
  int64_t dilation[3];
  int64_t stride = 1;
};

/// A convolution to fewer channels, three C3-blocks side by side, a residual where shapes allow,
/// normalisation.
class C3Module {
 public:
  /// `norm`: where normalisation and PReLU have their names.
  C3Module(const Scope& scope, const Scope& norm, const C3Spec& spec)
      : name_(scope.name),
        spec_(spec),
        reduce_(scope / "c1" / "conv", {spec.in, spec.reduced, spec.stride == 1 ? 1 : 3, spec.stride}),
        output_(norm, spec.out) {
    const int64_t rest = spec.out / 3, first = spec.out - 2 * rest;
    for (int i = 0; i < 3; ++i)
      blocks_.emplace_back(scope / fmt::format("d{}", i + 1), spec.reduced, i == 0 ? first : rest,
                           spec.dilation[i]);
  }

  at::Tensor forward(const at::Tensor& x, bool training) {
    const at::Tensor y = reduce_.forward(x);
    std::vector<at::Tensor> parts;
    for (C3Block& block : blocks_) parts.push_back(block.forward(y, training));
    at::Tensor joined = at::cat(parts, 1);
    if (spec_.stride == 1 && spec_.in == spec_.out) joined = add_shortcut(joined, x);
    return output_.forward(joined, training);
  }

  LayerCost cost(MapSize in) const {
    const MapSize out = in.over(spec_.stride);
    int64_t macs = reduce_.shape().macs(in.height, in.width);
    for (const C3Block& block : blocks_) macs += block.macs(out);
    return {
        name_,     fmt::format("C3-module {},{},{}", spec_.dilation[0], spec_.dilation[1], spec_.dilation[2]),
        spec_.out, out.height,
        out.width, 0,
        macs};
  }

 private:
  std::string name_;
  C3Spec spec_;
  Conv reduce_;
  std::vector<C3Block> blocks_;
  NormPRelu output_;
};

at::Tensor halved(const at::Tensor& image) { return at::avg_pool2d(image, {3, 3}, {2, 2}, {1, 1}); }

class ExtremeC3 final : public Sinet {
 public:
  ExtremeC3(const SinetOptions& options, uint64_t seed)
      : Sinet(options),
        root_{tensors_, seed},
        stem_(encoder() / "level1", {3, 24, 3, 2}),
        join1_(encoder() / "b1", 27),
        down2_(encoder() / "level2_0", encoder() / "level2_0", {27, 16, 48, {1, 2, 3}, 2}),
        level2_(encoder() / "level2" / "0", encoder() / "level2" / "0" / "bn", {48, 16, 48, {1, 3, 4}}),
        join2_(encoder() / "b2", 99),
        first3_(encoder() / "level3_0", encoder() / "level3_0" / "bn", {99, 18, 56, {1, 3, 5}}),
        join3_(encoder() / "b3", 112),
        coarse_(root_ / "upsample" / "0", root_ / "upsample" / "1", {112, 24, 1}, kSinetNorm,
                Activation::kNone),
        fine_stem_(root_ / "Fine" / "0" / "conv", {3, 24, 3, 2}),
        fine_(root_ / "Fine" / "1", root_ / "Fine" / "1" / "bn", {24, 8, 24, {2, 4, 8}}),
        join_(root_ / "classifier" / "0", 24),
        output_(root_ / "classifier" / "2", {24, options.classes, 1}) {
    for (int i = 0; i < 5; ++i) {
      const Scope here = encoder() / "level3" / std::to_string(i);
      level3_.emplace_back(here, here / "bn", C3Spec{56, 18, 56, {2, 4, 8}});
    }
  }

  // No logits come from the encoder alone: the network is trained in one stage.
  at::Tensor encode(const at::Tensor&, bool) override {
    throw std::invalid_argument("ExtremeC3 has no stage for its encoder (encoder_epochs = 0)");
  }

  SinetOutput forward(const at::Tensor& x, bool training) override {
    const at::Tensor half = halved(x), quarter = halved(half);
    at::Tensor y = join1_.forward(at::cat({stem_.forward(x, training), half}, 1), training);
    const at::Tensor down = down2_.forward(y, training), two = level2_.forward(down, training);
    const at::Tensor first =
        first3_.forward(join2_.forward(at::cat({two, down, quarter}, 1), training), training);
    y = first;
    for (C3Module& module : level3_) y = module.forward(y, training);
    const at::Tensor coarse = coarse_.forward(join3_.forward(at::cat({first, y}, 1), training), training);
    const at::Tensor fine = fine_.forward(fine_stem_.forward(x), training);
    const at::Tensor joined = join_.forward(enlarge(coarse, 2, true).add(fine), training);
    return {enlarge(output_.forward(joined), 2, true), coarse};
  }

  std::vector<LayerCost> layers() const override {
    const MapSize full{options_.height, options_.width}, half = full.over(2), quarter = full.over(4);
    std::vector<LayerCost> rows;
    const auto add = [&](const char* name, const char* kind, int64_t channels, MapSize out, int64_t macs) {
      rows.push_back({name, kind, channels, out.height, out.width, 0, macs});
    };
    add("encoder.level1", "convolution 3x3 stride 2, BN, PReLU", 24, half, stem_.macs(full));
    add("encoder.b1", "concatenate image, BN, PReLU", 27, half, 0);
    rows.push_back(down2_.cost(half));
    rows.push_back(level2_.cost(quarter));
    add("encoder.b2", "concatenate image, BN, PReLU", 99, quarter, 0);
    rows.push_back(first3_.cost(quarter));
    for (const C3Module& module : level3_) rows.push_back(module.cost(quarter));
    add("encoder.b3", "concatenate, BN, PReLU", 112, quarter, 0);
    add("upsample", "convolution 1x1, BN, enlarge x2", 24, half,
        coarse_.shape().macs(quarter.height, quarter.width));
    add("Fine.0", "convolution 3x3 stride 2", 24, half, fine_stem_.shape().macs(full.height, full.width));
    rows.push_back(fine_.cost(half));
    add("classifier", "sum, BN, PReLU, convolution 1x1, enlarge x2", options_.classes, full,
        output_.shape().macs(half.height, half.width));
    count_parameters(rows, tensors_);
    return rows;
  }

 private:
  Scope encoder() const { return root_ / "encoder"; }

  Scope root_;
  ConvNormPRelu stem_;
  NormPRelu join1_;
  C3Module down2_, level2_;
  NormPRelu join2_;
  C3Module first3_;
  std::vector<C3Module> level3_;
  NormPRelu join3_;
  ConvNorm coarse_;
  Conv fine_stem_;
  C3Module fine_;
  NormPRelu join_;
  Conv output_;
};

}  // namespace

std::unique_ptr<Sinet> make_extremec3(const SinetOptions& options, uint64_t seed) {
  return std::make_unique<ExtremeC3>(options, seed);
}

}  // namespace perennial

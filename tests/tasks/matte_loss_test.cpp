#include "perennial/tasks/segment/matte_loss.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "perennial/base/random.h"
#include "perennial/nn/init.h"
#include "perennial/tasks/segment/boundary.h"

namespace perennial {
namespace {

at::Tensor random_logits(int64_t classes, uint64_t id) {
  return uniform({2, classes, 9, 11}, 3.0, id, "logits");
}

/// 0, 1 and now and then ignored.
at::Tensor random_labels(uint64_t id, float ignored = 0.1F) {
  at::Tensor labels = at::empty({2, 9, 11}, at::kLong);
  auto* p = labels.mutable_data_ptr<int64_t>();
  Random random(1, "labels", 0, id);
  for (int64_t i = 0; i < labels.numel(); ++i)
    p[i] = random.chance(ignored) ? kIgnoredLabel : static_cast<int64_t>(random.below(2));
  return labels;
}

struct Pixel {
  double background, foreground;
  int64_t label;
};

std::vector<Pixel> pixels(const at::Tensor& logits, const at::Tensor& labels) {
  std::vector<Pixel> all;
  for (int64_t n = 0; n < labels.size(0); ++n)
    for (int64_t y = 0; y < labels.size(1); ++y)
      for (int64_t x = 0; x < labels.size(2); ++x) {
        const bool two = logits.size(1) == 2;
        all.push_back({two ? logits[n][0][y][x].item().toDouble() : 0.0,
                       logits[n][two ? 1 : 0][y][x].item().toDouble(), labels[n][y][x].item().toLong()});
      }
  return all;
}

double slow_cross_entropy(const std::vector<Pixel>& all, const std::vector<double>& weights) {
  double sum = 0, weight_sum = 0;
  for (const Pixel& p : all) {
    if (p.label == kIgnoredLabel) continue;
    const double mine = p.label == 1 ? p.foreground : p.background;
    const double w = weights[static_cast<size_t>(p.label)];
    sum += w * (std::log(std::exp(p.background) + std::exp(p.foreground)) - mine);
    weight_sum += w;
  }
  return weight_sum == 0 ? 0 : sum / weight_sum;
}

/// 1 - intersection / union when exactly the first `wrong` pixels of an order are wrong.
double jaccard_loss(const std::vector<int64_t>& labels, size_t wrong) {
  double both = 0, all = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    const bool predicted = (labels[i] == 1) != (i < wrong);
    both += predicted && labels[i] == 1;
    all += predicted || labels[i] == 1;
  }
  return all == 0 ? 0 : 1 - both / all;
}

/// The Lovasz extension by its definition: each error times what its pixel adds to the Jaccard loss.
double slow_lovasz(std::vector<Pixel> all) {
  std::erase_if(all, [](const Pixel& p) { return p.label == kIgnoredLabel; });
  const auto error = [](const Pixel& p) {
    return 1 - (p.foreground - p.background) * static_cast<double>(2 * p.label - 1);
  };
  std::stable_sort(all.begin(), all.end(),
                   [&](const Pixel& a, const Pixel& b) { return error(a) > error(b); });
  std::vector<int64_t> labels;
  for (const Pixel& p : all) labels.push_back(p.label);
  double loss = 0;
  for (size_t i = 0; i < all.size(); ++i)
    loss += std::max(0.0, error(all[i])) * (jaccard_loss(labels, i + 1) - jaccard_loss(labels, i));
  return loss;
}

double number(const at::Tensor& t) { return t.item().toDouble(); }

TEST(MatteLoss, ClassWeightsAreTheFormula) {
  at::Tensor labels = at::zeros({1, 4, 5}, at::kLong);
  labels[0][0].fill_(1);
  labels[0][1].fill_(kIgnoredLabel);  // 5 of 15 are foreground
  const at::Tensor w = class_weights(labels, 2);
  EXPECT_NEAR(number(w[0]), 1 / std::log(1.10 + 10.0 / 15), 1e-5);
  EXPECT_NEAR(number(w[1]), 1 / std::log(1.10 + 5.0 / 15), 1e-5);
}

TEST(MatteLoss, CrossEntropyIsTheSlowOne) {
  for (const int64_t classes : {1, 2}) {
    const at::Tensor z = random_logits(classes, 1), y = random_labels(2);
    EXPECT_NEAR(number(weighted_cross_entropy(z, y, {})), slow_cross_entropy(pixels(z, y), {1, 1}), 1e-5);
    const at::Tensor w = at::tensor({1.5, 4.0});
    EXPECT_NEAR(number(weighted_cross_entropy(z, y, w)), slow_cross_entropy(pixels(z, y), {1.5, 4}), 1e-5);
  }
}

TEST(MatteLoss, LovaszHingeIsTheDefinition) {
  for (const int64_t classes : {1, 2})
    for (uint64_t i = 0; i < 3; ++i) {
      const at::Tensor z = random_logits(classes, i), y = random_labels(i);
      EXPECT_NEAR(number(lovasz_hinge(foreground_score(z), y)), slow_lovasz(pixels(z, y)), 1e-4);
    }
}

TEST(MatteLoss, LovaszHingeWithoutForegroundOrWithoutBackground) {
  const at::Tensor z = random_logits(1, 4), none = at::zeros({2, 9, 11}, at::kLong);
  EXPECT_NEAR(number(lovasz_hinge(foreground_score(z), none)), slow_lovasz(pixels(z, none)), 1e-4);
  const at::Tensor all = none.add(1);
  EXPECT_NEAR(number(lovasz_hinge(foreground_score(z), all)), slow_lovasz(pixels(z, all)), 1e-4);
  EXPECT_EQ(number(lovasz_hinge(foreground_score(z.abs().add(1)), all)), 0);
}

TEST(MatteLoss, BoundaryTermIsTheSameLossInTheBand) {
  const at::Tensor z = random_logits(2, 5);
  at::Tensor y = at::zeros({2, 9, 11}, at::kLong);
  y.slice(1, 0, 4).slice(2, 0, 5).fill_(1);
  const at::Tensor band = boundary_labels(y, 3);
  EXPECT_EQ(band[0][0][0].item().toLong(), kIgnoredLabel);
  EXPECT_EQ(band[0][3][2].item().toLong(), 1);
  EXPECT_EQ(band[0][4][2].item().toLong(), 0);
  EXPECT_EQ(band[0][5][2].item().toLong(), kIgnoredLabel);
  MatteLossOptions options;
  options.boundary_side = 3;
  const double expected =
      slow_cross_entropy(pixels(z, y), {1, 1}) + 0.5 * slow_cross_entropy(pixels(z, band), {1, 1});
  EXPECT_NEAR(number(matte_loss(z, y, options)), expected, 1e-5);
  options.kind = "lovasz";
  EXPECT_NEAR(number(matte_loss(z, y, options)),
              slow_lovasz(pixels(z, y)) + 0.5 * slow_lovasz(pixels(z, band)), 1e-4);
}

TEST(MatteLoss, NothingThatCountsIsZeroNotNan) {
  const at::Tensor y = at::full({2, 9, 11}, kIgnoredLabel, at::kLong);
  for (const char* kind : {"cross_entropy", "lovasz"}) {
    at::Tensor z = random_logits(2, 6).set_requires_grad(true);
    MatteLossOptions options;
    options.kind = kind;
    const at::Tensor loss = matte_loss(z, y, options);
    EXPECT_EQ(number(loss), 0) << kind;
    loss.backward();
    EXPECT_EQ(number(z.grad().abs().sum()), 0) << kind;
  }
}

// Central differences of the loss at a few logits.
TEST(MatteLoss, GradientsAreThoseOfTheLoss) {
  const at::Tensor y = random_labels(7, 0.0F);
  for (const char* kind : {"cross_entropy", "lovasz"}) {
    MatteLossOptions options;
    options.kind = kind;
    at::Tensor z = random_logits(2, 8).to(at::kDouble).set_requires_grad(true);
    matte_loss(z, y, options).backward();
    for (const int64_t at : {0, 50, 133, 301}) {
      const auto moved = [&](double by) {
        at::Tensor copy = z.detach().clone();
        copy.view(-1)[at].add_(by);
        return number(matte_loss(copy, y, options));
      };
      EXPECT_NEAR(number(z.grad().view(-1)[at]), (moved(1e-5) - moved(-1e-5)) / 2e-5, 1e-6) << kind;
    }
  }
}

TEST(MatteLoss, CoarseLabelsTakeEveryEighth) {
  const at::Tensor y = random_labels(9);
  const at::Tensor coarse = coarse_labels(y, 4);
  EXPECT_EQ(coarse.sizes(), (std::vector<int64_t>{2, 3, 3}));
  EXPECT_EQ(coarse[1][2][1].item().toLong(), y[1][8][4].item().toLong());
}

TEST(MatteLoss, BadArgumentsAreRefused) {
  MatteLossOptions options;
  EXPECT_THROW(matte_loss(random_logits(3, 1), random_labels(1), options), std::invalid_argument);
  EXPECT_THROW(matte_loss(random_logits(2, 1), random_labels(1)[0], options), std::invalid_argument);
  options.kind = "dice";
  EXPECT_THROW(matte_loss(random_logits(2, 1), random_labels(1), options), std::invalid_argument);
}

}  // namespace
}  // namespace perennial

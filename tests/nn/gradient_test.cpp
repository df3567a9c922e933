#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "perennial/nn/head.h"
#include "tests/nn/nn_fixtures.h"

namespace perennial {
namespace {

void make_double(TensorList& tensors) {
  for (const NamedTensor& t : tensors.all()) t.value.set_data(t.value.detach().to(at::kDouble));
}

// The derivative along a random direction, from backward and from two evaluations.
void check_gradient(const char* name, at::IntArrayRef input, double width) {
  const auto net = plain_backbone(name, input, width);
  Head head(HeadKind::kLinear, net->feature_size(), 3, 1);
  make_double(net->tensors());
  make_double(head.tensors());
  std::vector<int64_t> shape = input.vec();
  shape.insert(shape.begin(), 5);
  const at::Tensor x = noise(shape, 2).to(at::kDouble), labels = at::tensor({0, 1, 2, 0, 1}, at::kLong);
  const auto loss = [&] { return at::cross_entropy_loss(head.forward(net->forward(x, true), true), labels); };

  loss().backward();
  std::vector<at::Tensor> parameters = net->tensors().trainable(), directions;
  for (const at::Tensor& t : head.tensors().trainable()) parameters.push_back(t);
  double analytic = 0;
  for (size_t i = 0; i < parameters.size(); ++i) {
    ASSERT_TRUE(parameters[i].grad().defined()) << i;
    directions.push_back(noise(parameters[i].sizes(), 100 + i).to(at::kDouble));
    analytic += parameters[i].grad().mul(directions[i]).sum().item().toDouble();
  }
  const at::NoGradGuard no_grad;
  const auto moved = [&](double by) {
    for (size_t i = 0; i < parameters.size(); ++i) parameters[i].add_(directions[i], by);
  };
  const double h = 1e-9;  // small: few ReLUs change sides
  moved(h);
  const double above = loss().item().toDouble();
  moved(-2 * h);
  const double below = loss().item().toDouble();
  EXPECT_NEAR(analytic, (above - below) / (2 * h), 1e-4 * std::max(1.0, std::abs(analytic))) << name;
}

TEST(Gradient, AgreesWithFiniteDifferences) {
  check_gradient("mlp400", {6}, 0.02);
  check_gradient("resnet20", {3, 8, 8}, 0.5);
  check_gradient("resnet32", {3, 8, 8}, 0.5);
  check_gradient("efficientnet_lite0", {3, 32, 32}, 0.25);
}

}  // namespace
}  // namespace perennial

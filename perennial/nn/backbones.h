#pragma once

#include <cstdint>
#include <memory>

#include "perennial/nn/backbone.h"

namespace perennial {

// One constructor per network, each in a file of its own; make_backbone chooses by name.

/// Features as they are: for inputs [N, size] computed before.
std::unique_ptr<Backbone> make_identity(int64_t size);

/// Rainbow Memory's MLP: two hidden layers of 400 * width, each linear (no bias), BatchNorm, ReLU, on the
/// flattened input of `inputs` values (digest of the released code: 28 * 28 * 3).
std::unique_ptr<Backbone> make_mlp400(int64_t inputs, double width, uint64_t seed);

/// Rainbow Memory's CIFAR ResNets: ReLU after both convolutions of a block, none after the addition; 1x1
/// shortcuts with BatchNorm and ReLU; eps 1e-6.
std::unique_ptr<Backbone> make_resnet18(double width, uint64_t seed);
std::unique_ptr<Backbone> make_resnet32(double width, uint64_t seed);

/// Its ImageNet ResNet-34: 7x7 stem and max-pool, ReLU after both convolutions and again after the addition.
std::unique_ptr<Backbone> make_resnet34(double width, uint64_t seed);

/// The ordinary CIFAR ResNet-20 (He et al. 2016, section 4.2) with parameter-free shortcuts (option A). Names
/// as in the widely used PyTorch port (akamaster/pytorch_resnet_cifar10).
std::unique_ptr<Backbone> make_resnet20(double width, uint64_t seed);

/// EfficientNet-Lite0: MBConv blocks without squeeze-and-excitation, ReLU6, TensorFlow padding. Names as in
/// the PyTorch package efficientnet-lite-pytorch.
std::unique_ptr<Backbone> make_efficientnet_lite0(double width, uint64_t seed);

}  // namespace perennial

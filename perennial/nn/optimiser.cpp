#include "perennial/nn/optimiser.h"

#include <stdexcept>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros_like.h>

#include "perennial/base/error.h"

namespace perennial {
namespace {

std::string key(const std::string& prefix, size_t i) { return prefix + "momentum." + std::to_string(i); }

// The kernel walks raw memory: gradient and parameter must lie alike.
at::Tensor laid_out_like(const at::Tensor& gradient, const at::Tensor& parameter) {
  if (gradient.strides() == parameter.strides() && gradient.scalar_type() == parameter.scalar_type())
    return gradient;
  return at::empty_like(parameter).copy_(gradient);
}

}  // namespace

Sgd::Sgd(std::vector<at::Tensor> parameters, const SgdOptions& options)
    : options_(options), parameters_(std::move(parameters)), momenta_(parameters_.size()) {}

void Sgd::step(double learning_rate) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> parameters, gradients, momenta;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    at::Tensor& gradient = parameters_[i].mutable_grad();
    if (!gradient.defined()) continue;
    // A momentum of zero makes the first step what it should be: the gradient itself.
    if (!momenta_[i].defined()) momenta_[i] = at::zeros_like(parameters_[i]).set_requires_grad(false);
    parameters.push_back(parameters_[i]);
    gradients.push_back(laid_out_like(gradient, parameters_[i]));
    momenta.push_back(momenta_[i]);
    gradient.reset();
  }
  if (parameters.empty()) return;
  at::_fused_sgd_(parameters, gradients, momenta, options_.weight_decay, options_.momentum, learning_rate,
                  /*dampening=*/0.0, options_.nesterov, /*maximize=*/false, /*is_first_step=*/false);
}

void Sgd::replace(std::vector<at::Tensor> parameters) {
  if (parameters.size() != parameters_.size())
    throw std::invalid_argument("the optimiser follows " + std::to_string(parameters_.size()) +
                                " tensors, not " + std::to_string(parameters.size()));
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < parameters.size(); ++i) {
    at::Tensor& old = momenta_[i];
    if (!old.defined() || parameters[i].sizes() == parameters_[i].sizes()) continue;
    at::Tensor grown = at::zeros_like(parameters[i]).set_requires_grad(false);
    const int64_t rows = std::min(grown.size(0), old.size(0));
    grown.narrow(0, 0, rows).copy_(old.narrow(0, 0, rows));
    old = grown;
  }
  parameters_ = std::move(parameters);
}

void Sgd::save(TensorMap& out, const std::string& prefix) const {
  for (size_t i = 0; i < momenta_.size(); ++i)
    if (momenta_[i].defined()) out[key(prefix, i)] = momenta_[i].cpu().clone(at::MemoryFormat::Contiguous);
}

void Sgd::load(const TensorMap& in, const std::string& prefix, const std::string& source) {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < momenta_.size(); ++i) {
    const auto found = in.find(key(prefix, i));
    momenta_[i].reset();
    if (found == in.end()) continue;
    if (found->second.sizes() != parameters_[i].sizes())
      throw Error({"loading the optimiser", source, key(prefix, i) + " in the shape of its parameter",
                   "another shape"});
    momenta_[i] = at::zeros_like(parameters_[i]).set_requires_grad(false).copy_(found->second);
  }
}

}  // namespace perennial

#include "perennial/nn/optimiser.h"

#include <stdexcept>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
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

at::Tensor zeros_beside(const at::Tensor& parameter) {
  return at::zeros_like(parameter).set_requires_grad(false);
}

std::string adam_key(const std::string& prefix, size_t group, size_t i, const char* what) {
  return prefix + "adam." + std::to_string(group) + "." + std::to_string(i) + "." + what;
}

/// The tensor of that name copied into `to`; false when there is none.
bool restore(const TensorMap& in, const std::string& name, at::Tensor& to, const std::string& source) {
  const auto found = in.find(name);
  if (found == in.end()) return false;
  if (found->second.sizes() != to.sizes())
    throw Error({"loading the optimiser", source, name + " in the shape of its parameter", "another shape"});
  to.copy_(found->second);
  return true;
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

Adam::Adam(std::vector<ParameterGroup> groups, const AdamOptions& options)
    : options_(options), groups_(std::move(groups)) {
  for (const ParameterGroup& group : groups_) moments_.emplace_back(group.parameters.size());
}

void Adam::step(double learning_rate) {
  const at::NoGradGuard no_grad;
  for (size_t g = 0; g < groups_.size(); ++g) {
    std::vector<at::Tensor> parameters, gradients, first, second, steps;
    for (size_t i = 0; i < moments_[g].size(); ++i) {
      const at::Tensor& parameter = groups_[g].parameters[i];
      at::Tensor& gradient = parameter.mutable_grad();
      if (!gradient.defined()) continue;
      Moments& m = moments_[g][i];
      if (!m.first.defined())
        m = {zeros_beside(parameter), zeros_beside(parameter),
             at::zeros({}, parameter.options().dtype(at::kFloat).requires_grad(false))};
      m.steps.add_(1);
      parameters.push_back(parameter);
      gradients.push_back(laid_out_like(gradient, parameter));
      first.push_back(m.first), second.push_back(m.second), steps.push_back(m.steps);
      gradient.reset();
    }
    if (parameters.empty()) continue;
    at::_fused_adam_(parameters, gradients, first, second, {}, steps, learning_rate, options_.beta1,
                     options_.beta2, groups_[g].weight_decay, options_.eps, /*amsgrad=*/false,
                     /*maximize=*/false);
  }
}

void Adam::save(TensorMap& out, const std::string& prefix) const {
  const auto put = [&](size_t g, size_t i, const char* what, const at::Tensor& value) {
    out[adam_key(prefix, g, i, what)] = value.cpu().clone(at::MemoryFormat::Contiguous);
  };
  for (size_t g = 0; g < moments_.size(); ++g)
    for (size_t i = 0; i < moments_[g].size(); ++i) {
      const Moments& m = moments_[g][i];
      if (!m.first.defined()) continue;
      put(g, i, "first", m.first), put(g, i, "second", m.second), put(g, i, "steps", m.steps);
    }
}

void Adam::load(const TensorMap& in, const std::string& prefix, const std::string& source) {
  const at::NoGradGuard no_grad;
  for (size_t g = 0; g < moments_.size(); ++g)
    for (size_t i = 0; i < moments_[g].size(); ++i) {
      const at::Tensor& parameter = groups_[g].parameters[i];
      Moments m{zeros_beside(parameter), zeros_beside(parameter),
                at::zeros({}, parameter.options().dtype(at::kFloat).requires_grad(false))};
      const bool all = restore(in, adam_key(prefix, g, i, "first"), m.first, source) &&
                       restore(in, adam_key(prefix, g, i, "second"), m.second, source) &&
                       restore(in, adam_key(prefix, g, i, "steps"), m.steps, source);
      moments_[g][i] = all ? m : Moments{};
    }
}

}  // namespace perennial

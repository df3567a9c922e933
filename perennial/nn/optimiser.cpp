#include "perennial/nn/optimiser.h"

#include <algorithm>
#include <set>
#include <stdexcept>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include "perennial/base/error.h"
#include "perennial/base/options.h"
#include "perennial/base/text.h"

namespace perennial {
namespace {

const std::vector<std::string> kNames{"sgd", "adam", "adamw"};

// The kernel walks raw memory: gradient and parameter must lie alike.
at::Tensor laid_out_like(const at::Tensor& gradient, const at::Tensor& parameter) {
  if (gradient.strides() == parameter.strides() && gradient.scalar_type() == parameter.scalar_type())
    return gradient;
  return at::empty_like(parameter).copy_(gradient);
}

at::Tensor zeros_beside(const at::Tensor& parameter) {
  return at::zeros_like(parameter).set_requires_grad(false);
}

/// The first of these names that there is, copied into `to`; false when there is none.
bool restore(const TensorMap& in, const std::vector<std::string>& names, at::Tensor& to,
             const std::string& source) {
  for (const std::string& name : names) {
    const auto found = in.find(name);
    if (found == in.end()) continue;
    if (found->second.sizes() != to.sizes())
      throw Error(
          {"loading the optimiser", source, name + " in the shape of its parameter", "another shape"});
    to.copy_(found->second);
    return true;
  }
  return false;
}

void require_names(const std::vector<ParameterGroup>& groups) {
  std::set<std::string> names;
  for (const ParameterGroup& group : groups)
    for (const NamedTensor& p : group.parameters)
      if (!names.insert(p.name).second)
        throw std::invalid_argument("an optimiser of two parameters named '" + p.name + "'");
}

}  // namespace

void OptimiserOptions::bind(OptionTable& table, const std::string& prefix) {
  table.add(prefix + "optimiser", name, "how parameters follow their gradients").choices(kNames);
  table.add(prefix + "momentum", momentum, "of sgd").range(0, 0.9999);
  table.add(prefix + "nesterov", nesterov, "of sgd: Nesterov momentum");
  table.add(prefix + "beta1", beta1, "of adam and adamw").range(0, 0.9999);
  table.add(prefix + "beta2", beta2, "of adam and adamw").range(0, 0.99999);
  table.add(prefix + "eps", eps, "of adam and adamw").range(1e-16, 1);
}

Optimiser::Optimiser(std::vector<ParameterGroup> groups, OptimiserOptions options)
    : options_(std::move(options)), groups_(std::move(groups)) {
  require_known("optimiser", options_.name, kNames);
  require_names(groups_);
}

Optimiser::Memory Optimiser::fresh(const at::Tensor& parameter) const {
  // A momentum of zero makes the first step of sgd what it should be: the gradient itself.
  if (is_sgd()) return {zeros_beside(parameter), {}, {}};
  return {zeros_beside(parameter), zeros_beside(parameter),
          at::zeros({}, parameter.options().dtype(at::kFloat).requires_grad(false))};
}

void Optimiser::step(double learning_rate) {
  const at::NoGradGuard no_grad;
  for (const ParameterGroup& group : groups_) step(group, learning_rate * group.rate);
}

void Optimiser::step(const ParameterGroup& group, double learning_rate) {
  std::vector<at::Tensor> parameters, gradients, first, second, steps;
  for (const auto& [name, parameter, trainable] : group.parameters) {
    at::Tensor& gradient = parameter.mutable_grad();
    if (!gradient.defined()) continue;
    const auto m =
        memory_.contains(name) ? memory_.find(name) : memory_.emplace(name, fresh(parameter)).first;
    parameters.push_back(parameter);
    gradients.push_back(laid_out_like(gradient, parameter));
    first.push_back(m->second.first);
    gradient.reset();
    if (is_sgd()) continue;
    second.push_back(m->second.second);
    steps.push_back(m->second.steps.add_(1));
  }
  if (parameters.empty()) return;
  const bool remembers = options_.momentum > 0;  // the kernel takes no buffers that it would not use
  if (is_sgd())
    at::_fused_sgd_(parameters, gradients, remembers ? first : std::vector<at::Tensor>{}, group.weight_decay,
                    options_.momentum, learning_rate, /*dampening=*/0.0, options_.nesterov && remembers,
                    /*maximize=*/false, /*is_first_step=*/false);
  else if (options_.name == "adam")
    at::_fused_adam_(parameters, gradients, first, second, {}, steps, learning_rate, options_.beta1,
                     options_.beta2, group.weight_decay, options_.eps, /*amsgrad=*/false, /*maximize=*/false);
  else
    at::_fused_adamw_(parameters, gradients, first, second, {}, steps, learning_rate, options_.beta1,
                      options_.beta2, group.weight_decay, options_.eps, /*amsgrad=*/false,
                      /*maximize=*/false);
}

void Optimiser::replace(std::vector<ParameterGroup> groups) {
  require_names(groups);
  const at::NoGradGuard no_grad;
  std::map<std::string, Memory> kept;
  for (const ParameterGroup& group : groups)
    for (const NamedTensor& p : group.parameters) {
      const auto found = memory_.find(p.name);
      if (found == memory_.end()) continue;
      Memory& m = kept[p.name] = found->second;
      for (at::Tensor* t : {&m.first, &m.second}) {
        if (!t->defined() || t->sizes() == p.value.sizes()) continue;
        at::Tensor grown = zeros_beside(p.value);
        const int64_t rows = std::min(grown.size(0), t->size(0));
        grown.narrow(0, 0, rows).copy_(t->narrow(0, 0, rows));
        *t = grown;
      }
    }
  groups_ = std::move(groups);
  memory_ = std::move(kept);
}

void Optimiser::save(TensorMap& out, const std::string& prefix) const {
  for (const auto& [name, m] : memory_)
    for (const auto& [what, tensor] : {std::pair("first", m.first), {"second", m.second}, {"steps", m.steps}})
      if (tensor.defined())
        out[prefix + name + "." + what] = tensor.cpu().clone(at::MemoryFormat::Contiguous);
}

void Optimiser::load(const TensorMap& in, const std::string& prefix, const std::string& source) {
  const at::NoGradGuard no_grad;
  memory_.clear();
  size_t position = 0;
  for (size_t g = 0; g < groups_.size(); ++g)
    for (size_t i = 0; i < groups_[g].parameters.size(); ++i, ++position) {
      const auto& [name, parameter, trainable] = groups_[g].parameters[i];
      const auto names = [&, own = prefix + name](const std::string& what) {
        return std::vector{own + "." + what, is_sgd() ? prefix + "momentum." + std::to_string(position)
                                                      : prefix + "adam." + std::to_string(g) + "." +
                                                            std::to_string(i) + "." + what};
      };
      Memory m = fresh(parameter);
      if (restore(in, names("first"), m.first, source) &&
          (is_sgd() ||
           (restore(in, names("second"), m.second, source) && restore(in, names("steps"), m.steps, source))))
        memory_[name] = std::move(m);
    }
}

}  // namespace perennial

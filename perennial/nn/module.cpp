#include "perennial/nn/module.h"

#include <ATen/core/grad_mode.h>

#include "perennial/base/error.h"

namespace perennial {
namespace {

std::string shape_text(const at::Tensor& t) {
  std::string text = "[";
  for (int64_t d = 0; d < t.dim(); ++d) text += (d > 0 ? ", " : "") + std::to_string(t.size(d));
  return text + "]";
}

// Channels-last convolutions are several times faster on the CPU, depthwise ones most of all.
at::Tensor in_model_format(const at::Tensor& t) {
  return t.contiguous(t.dim() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
}

const at::Tensor& find(const TensorMap& in, const std::string& name, const at::Tensor& wanted,
                       const std::string& source) {
  const auto found = in.find(name);
  const bool fits = found != in.end() && found->second.sizes() == wanted.sizes();
  if (fits) return found->second;
  throw Error({"loading weights", source, name + " " + shape_text(wanted),
               found == in.end() ? "no tensor of that name" : shape_text(found->second)});
}

}  // namespace

at::Tensor TensorList::parameter(const std::string& name, const at::Tensor& initial) {
  at::Tensor value = in_model_format(initial);
  value.set_requires_grad(true);
  tensors_.push_back({name, value, true});
  return value;
}

at::Tensor TensorList::buffer(const std::string& name, const at::Tensor& initial) {
  tensors_.push_back({name, in_model_format(initial), false});
  return tensors_.back().value;
}

std::vector<at::Tensor> TensorList::trainable() const {
  std::vector<at::Tensor> result;
  for (const NamedTensor& t : tensors_)
    if (t.trainable) result.push_back(t.value);
  return result;
}

std::vector<NamedTensor> TensorList::trainable(const std::string& prefix) const {
  std::vector<NamedTensor> result;
  for (const NamedTensor& t : tensors_)
    if (t.trainable) result.push_back({prefix + t.name, t.value});
  return result;
}

int64_t TensorList::parameter_count() const {
  int64_t count = 0;
  for (const NamedTensor& t : tensors_)
    if (t.trainable) count += t.value.numel();
  return count;
}

void TensorList::save(TensorMap& out, const std::string& prefix) const {
  for (const NamedTensor& t : tensors_)
    out[prefix + t.name] = t.value.detach().cpu().clone(at::MemoryFormat::Contiguous);
}

void TensorList::load(const TensorMap& in, const std::string& prefix, const std::string& source) {
  const at::NoGradGuard no_grad;
  // All are checked before the first is touched: a wrong file leaves the model as it was.
  for (const NamedTensor& t : tensors_) find(in, prefix + t.name, t.value, source);
  for (const NamedTensor& t : tensors_) t.value.copy_(in.at(prefix + t.name));
}

void TensorList::adopt(const TensorMap& in, const std::string& prefix, const std::string& source) {
  const at::NoGradGuard no_grad;
  for (const NamedTensor& t : tensors_) find(in, prefix + t.name, t.value, source);
  for (NamedTensor& t : tensors_) {
    const at::Tensor& theirs = in.at(prefix + t.name);
    const bool fits =
        theirs.scalar_type() == t.value.scalar_type() && in_model_format(theirs).is_same(theirs);
    if (fits)
      t.value.set_data(theirs);
    else
      t.value.copy_(theirs);
  }
}

void TensorList::share(const TensorList& from) {
  for (size_t i = 0; i < tensors_.size(); ++i) tensors_[i].value.set_data(from.tensors_.at(i).value);
}

void TensorList::copy(const TensorList& from) {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < tensors_.size(); ++i) tensors_[i].value.copy_(from.tensors_.at(i).value);
}

void TensorList::copy_rows(const TensorList& from, int64_t first) {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const at::Tensor &own = tensors_[i].value, &other = from.tensors_.at(i).value;
    if (own.dim() > 0)
      own.narrow(0, first, own.size(0) - first).copy_(other.narrow(0, first, own.size(0) - first));
  }
}

void TensorList::move_towards(const TensorList& other, double share) {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    at::Tensor& own = tensors_[i].value;
    if (own.is_floating_point()) own.lerp_(other.tensors_.at(i).value, share);
  }
}

void TensorList::to(c10::Device device) {
  const at::NoGradGuard no_grad;
  for (NamedTensor& t : tensors_)
    if (t.value.device() != device) t.value.set_data(t.value.to(device));
}

}  // namespace perennial

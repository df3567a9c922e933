#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "perennial/io/safetensors.h"

namespace perennial {

/// A named tensor of a model: a parameter (trainable, requires_grad) or a buffer (running statistics).
struct NamedTensor {
  std::string name;  ///< "layer1.0.conv1.weight"
  at::Tensor value;
  bool trainable = true;
};

/// The tensors of a model, in the order of creation. Layers add theirs here and keep the same at::Tensor
/// handle.
class TensorList {
 public:
  at::Tensor parameter(const std::string& name, const at::Tensor& initial);
  at::Tensor buffer(const std::string& name, const at::Tensor& initial);

  const std::vector<NamedTensor>& all() const { return tensors_; }
  std::vector<at::Tensor> trainable() const;
  /// The same with their names behind `prefix`.
  std::vector<NamedTensor> trainable(const std::string& prefix) const;
  int64_t parameter_count() const;

  /// Detached copies on the CPU under `prefix` + name.
  void save(TensorMap& out, const std::string& prefix) const;
  /// Copies values in place (memory format kept). Every tensor must be there with its shape: otherwise an
  /// Error that names `source`, the tensor, the expected and the found shape. Extra tensors in `in` are
  /// ignored.
  void load(const TensorMap& in, const std::string& prefix, const std::string& source);
  /// load() for a model whose tensors stay as they are: those of `in` take the place of its own where they
  /// have the form that it wants (type, memory format); the others are copied, as are dense convolutions of a
  /// file, which does not keep channels last.
  void adopt(const TensorMap& in, const std::string& prefix, const std::string& source);
  /// The same tensors of another model, in the same order, in the place of its own.
  void share(const TensorList& from);
  /// Values of the same tensors of another model, in the same order.
  void copy(const TensorList& from);
  /// Rows from `first` on of the same tensors of another model; those of one number are left alone.
  void copy_rows(const TensorList& from, int64_t first);
  /// Floating-point values a share of the way to those of the same tensors of another model.
  void move_towards(const TensorList& other, double share);
  /// Moves all to a device ("cpu", "cuda") or dtype in place, keeping handles valid.
  void to(c10::Device device);

 private:
  std::vector<NamedTensor> tensors_;
};

}  // namespace perennial

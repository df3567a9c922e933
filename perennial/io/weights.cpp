#include "perennial/io/weights.h"

#include <map>
#include <stdexcept>
#include <string>

namespace perennial {

std::string_view unwrapped(std::string_view name) {
  for (const std::string_view wrapper : {"module.", "model.", "_orig_mod.", "state_dict.", "net."})
    if (name.starts_with(wrapper)) return name.substr(wrapper.size());
  return {};
}

std::filesystem::path weights_file(const std::filesystem::path& file_or_folder) {
  if (file_or_folder.empty()) throw std::invalid_argument("weights: expected a file, found an empty name");
  if (!std::filesystem::is_directory(file_or_folder)) return file_or_folder;
  const auto whole = file_or_folder / "model.safetensors",
             parts = file_or_folder / "model.safetensors.index.json";
  return !std::filesystem::exists(whole) && std::filesystem::exists(parts) ? parts : whole;
}

TrainedWeights read_weights(const std::filesystem::path& file_or_folder) {
  const std::filesystem::path path = weights_file(file_or_folder);
  TrainedWeights file{map_safetensors(path), path.string()};
  std::map<std::string, at::Tensor> bare;  // undefined where two tensors would have the name
  for (const auto& [name, tensor] : file.tensors)
    for (std::string_view rest = unwrapped(name); !rest.empty(); rest = unwrapped(rest))
      if (const auto [at, fresh] = bare.emplace(rest, tensor); !fresh) at->second = at::Tensor();
  for (const auto& [name, tensor] : bare)
    if (tensor.defined()) file.tensors.emplace(name, tensor);
  return file;
}

}  // namespace perennial

#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "perennial/io/safetensors.h"

namespace perennial {

/// Tensors that somebody brings.
struct TrainedWeights : TensorFile {
  std::string source;  ///< the file, for errors
};

/// Reads trained weights as people have them: a file, or the model.safetensors of a folder (a run). Programs
/// that wrap a network put something before the names of its tensors (module., model., _orig_mod.,
/// state_dict., net., in any order and number): each tensor is there without it as well, where that name is
/// one tensor's only. The tensors lie in the mapped file (map_safetensors()). Throws Error.
TrainedWeights read_weights(const std::filesystem::path& file_or_folder);

/// The file that read_weights() reads.
std::filesystem::path weights_file(const std::filesystem::path& file_or_folder);

/// The name behind one of the above; empty when it begins with none.
std::string_view unwrapped(std::string_view name);

}  // namespace perennial

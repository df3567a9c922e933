#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "perennial/io/safetensors.h"

namespace perennial {

/// What an object needs to go on: named tensors and named values. Names are dotted paths ("memory.ids");
/// every object writes under the prefix it is given. Encodes to one safetensors file that carries its own
/// checksum.
class State {
 public:
  TensorMap tensors;
  nlohmann::json values = nlohmann::json::object();
  std::string source = "state";  ///< what errors call it: the file it came from

  /// A tensor that must be there; Error names the source otherwise.
  const at::Tensor& tensor(const std::string& name) const;
  bool has_tensor(const std::string& name) const { return tensors.contains(name); }

  /// A value that must be there with the right type; Error otherwise.
  template <class T>
  T value(const std::string& name) const {
    try {
      return values.at(name).get<T>();
    } catch (const nlohmann::json::exception& e) {
      refuse(name, e.what());
    }
  }

  void put_ints(const std::string& name, const std::vector<int64_t>& numbers);
  std::vector<int64_t> ints(const std::string& name) const;
  void put_floats(const std::string& name, const std::vector<float>& numbers);
  std::vector<float> floats(const std::string& name) const;

 private:
  [[noreturn]] void refuse(const std::string& name, const std::string& why) const;
};

/// One safetensors file: values as JSON in the metadata, and a CRC-32C over every byte of the file.
std::string encode_state(const State& state);

/// Verifies the checksum first; Error for truncated, flipped or foreign bytes. `name` is what errors call it.
State decode_state(std::string_view bytes, const std::string& name);

}  // namespace perennial

#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "perennial/io/safetensors.h"

namespace perennial {

/// Named values of a state, as one JSON object. What is held is nlohmann::json: who wants to see it as such
/// includes nlohmann/json.hpp, and the others need not.
class Values {
 public:
  Values();
  Values(const Values& other);
  Values(Values&& other) noexcept;
  Values& operator=(const Values& other);
  Values& operator=(Values&& other) noexcept;
  ~Values();

  bool contains(const std::string& name) const;
  nlohmann::json& operator[](const std::string& name);
  operator nlohmann::json&();              // NOLINT(google-explicit-constructor)
  operator const nlohmann::json&() const;  // NOLINT(google-explicit-constructor)

 private:
  std::unique_ptr<nlohmann::json> json_;
};

/// What an object needs to go on: named tensors and named values. Names are dotted paths ("memory.ids");
/// every object writes under the prefix it is given. Encodes to one safetensors file that carries its own
/// checksum.
class State {
 public:
  TensorMap tensors;
  Values values;
  std::string source = "state";  ///< what errors call it: the file it came from

  /// A tensor that must be there; Error names the source otherwise.
  const at::Tensor& tensor(const std::string& name) const;
  bool has_tensor(const std::string& name) const { return tensors.contains(name); }

  // Values are bool, int64_t, uint64_t, double, std::string, std::vector<std::string>,
  // std::map<std::string, double>, or nlohmann::json for what is none of them.
  template <class T>
  void put(const std::string& name, const T& value);
  bool has_value(const std::string& name) const { return values.contains(name); }
  /// A value that must be there with the right type; Error otherwise.
  template <class T>
  T value(const std::string& name) const;
  /// The same, or `otherwise` where there is none: for what earlier versions did not write.
  template <class T>
  T value_or(const std::string& name, const T& otherwise) const {
    return has_value(name) ? value<T>(name) : otherwise;
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

/// The same straight to a file, atomically; no second copy of the tensors is made. Throws Error.
void write_state(const std::filesystem::path& path, const State& state);

/// Verifies the checksum first; Error for truncated, flipped or foreign bytes. `name` is what errors call it.
State decode_state(std::string_view bytes, const std::string& name);

}  // namespace perennial

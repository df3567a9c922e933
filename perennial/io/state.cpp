#include "perennial/io/state.h"

#include <map>
#include <span>

#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perennial/base/bytes.h"
#include "perennial/base/error.h"
#include "perennial/base/files.h"

namespace perennial {
namespace {

// The checksum stands in the header as eight hexadecimal digits; it is computed with these in their place.
constexpr std::string_view kBlank = "--------";
constexpr std::string_view kKey = "\"checksum\":\"";
constexpr const char* kForm = "perennial-state-1";

template <class T>
void put_row(TensorMap& tensors, const std::string& name, const std::vector<T>& numbers,
             at::ScalarType type) {
  at::Tensor t = at::empty({static_cast<int64_t>(numbers.size())}, at::TensorOptions(type));
  std::copy(numbers.begin(), numbers.end(), t.mutable_data_ptr<T>());
  tensors[name] = t;
}

// Where the digits lie. The metadata come first in the header, "checksum" first among them.
size_t checksum_at(std::string_view bytes, const std::string& name) {
  const size_t at = bytes.substr(0, std::min<size_t>(bytes.size(), 256)).find(kKey);
  if (at == std::string_view::npos || at + kKey.size() + kBlank.size() > bytes.size())
    throw Error({"reading a saved state", name, "a file written by perennial", "no checksum"});
  return at + kKey.size();
}

/// Of the pieces of a file, the first of which has the digits at `at`.
std::string checksum(std::span<const std::string_view> pieces, size_t at) {
  uint32_t crc = crc32c(pieces.front().substr(0, at));
  crc = crc32c(kBlank, crc);
  crc = crc32c(pieces.front().substr(at + kBlank.size()), crc);
  for (const std::string_view piece : pieces.subspan(1)) crc = crc32c(piece, crc);
  return fmt::format("{:08x}", crc);
}

EncodedTensors lay_out(const State& state) {
  std::string values;
  try {
    const nlohmann::json& all = state.values;
    values = all.dump();
  } catch (const nlohmann::json::exception& e) {
    throw Error({"writing a saved state", state.source, "values in UTF-8", e.what()});
  }
  EncodedTensors encoded = lay_out_safetensors(
      {state.tensors, {{"checksum", std::string(kBlank)}, {"form", kForm}, {"values", std::move(values)}}});
  const size_t at = checksum_at(encoded.header, "a new state");
  encoded.header.replace(at, kBlank.size(), checksum(encoded.pieces(), at));
  return encoded;
}

}  // namespace

Values::Values() : json_(std::make_unique<nlohmann::json>(nlohmann::json::object())) {}
Values::Values(const Values& other) : json_(std::make_unique<nlohmann::json>(*other.json_)) {}
Values::Values(Values&& other) noexcept = default;
Values& Values::operator=(const Values& other) { return *this = Values(other); }
Values& Values::operator=(Values&& other) noexcept = default;
Values::~Values() = default;

bool Values::contains(const std::string& name) const { return json_->contains(name); }
nlohmann::json& Values::operator[](const std::string& name) { return (*json_)[name]; }
Values::operator nlohmann::json&() { return *json_; }
Values::operator const nlohmann::json&() const { return *json_; }

template <class T>
void State::put(const std::string& name, const T& value) {
  values[name] = value;
}

template <class T>
T State::value(const std::string& name) const {
  try {
    const nlohmann::json& all = values;
    return all.at(name).get<T>();
  } catch (const nlohmann::json::exception& e) {
    refuse(name, e.what());
  }
}

#define PERENNIAL_VALUE(...)                                                            \
  template void State::put<__VA_ARGS__>(const std::string& name, const __VA_ARGS__& v); \
  template __VA_ARGS__ State::value<__VA_ARGS__>(const std::string& name) const;
PERENNIAL_VALUE(bool)
PERENNIAL_VALUE(int64_t)
PERENNIAL_VALUE(uint64_t)
PERENNIAL_VALUE(double)
PERENNIAL_VALUE(std::string)
PERENNIAL_VALUE(std::vector<std::string>)
PERENNIAL_VALUE(std::map<std::string, double>)
PERENNIAL_VALUE(nlohmann::json)
#undef PERENNIAL_VALUE

void State::refuse(const std::string& name, const std::string& why) const {
  throw Error({"reading a saved state", source, fmt::format("'{}'", name), why});
}

const at::Tensor& State::tensor(const std::string& name) const {
  const auto it = tensors.find(name);
  if (it == tensors.end()) refuse(name, "nothing of that name");
  return it->second;
}

void State::put_ints(const std::string& name, const std::vector<int64_t>& numbers) {
  put_row(tensors, name, numbers, at::kLong);
}

void State::put_floats(const std::string& name, const std::vector<float>& numbers) {
  put_row(tensors, name, numbers, at::kFloat);
}

std::vector<int64_t> State::ints(const std::string& name) const {
  const at::Tensor& t = tensor(name);
  if (t.scalar_type() != at::kLong || t.dim() != 1) refuse(name, "not a row of int64");
  return {t.const_data_ptr<int64_t>(), t.const_data_ptr<int64_t>() + t.numel()};
}

std::vector<float> State::floats(const std::string& name) const {
  const at::Tensor& t = tensor(name);
  if (t.scalar_type() != at::kFloat || t.dim() != 1) refuse(name, "not a row of float32");
  return {t.const_data_ptr<float>(), t.const_data_ptr<float>() + t.numel()};
}

std::string encode_state(const State& state) { return lay_out(state).joined(); }

void write_state(const std::filesystem::path& path, const State& state) {
  const EncodedTensors encoded = lay_out(state);
  write_file_atomic(path, encoded.pieces());
}

State decode_state(std::string_view bytes, const std::string& name) {
  const size_t at = checksum_at(bytes, name);
  const std::string expected = checksum(std::span(&bytes, 1), at);
  if (const std::string found(bytes.substr(at, kBlank.size())); found != expected)
    throw Error({"reading a saved state", name, "checksum " + expected, found + " (the file is damaged)"});
  TensorFile file = decode_safetensors(bytes, name);
  if (file.metadata["form"] != kForm)
    throw Error({"reading a saved state", name, kForm, file.metadata["form"]});
  State state;
  state.source = name;
  state.tensors = std::move(file.tensors);
  try {
    nlohmann::json& all = state.values;
    all = nlohmann::json::parse(file.metadata["values"]);
  } catch (const nlohmann::json::exception& e) {
    throw Error({"reading a saved state", name, "values in JSON", e.what()});
  }
  return state;
}

}  // namespace perennial

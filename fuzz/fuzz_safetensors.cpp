#include <string_view>

#include "perennial/base/error.h"
#include "perennial/io/safetensors.h"

// What decodes must encode again and decode to as many tensors.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const auto file = perennial::decode_safetensors(bytes, "fuzz");
    const auto again = perennial::decode_safetensors(perennial::encode_safetensors(file), "again");
    if (again.tensors.size() != file.tensors.size() || again.metadata != file.metadata) __builtin_trap();
  } catch (const perennial::Error&) {
  }
  return 0;
}

#include <string_view>

#include <fmt/format.h>

#include "perennial/base/bytes.h"
#include "perennial/base/error.h"
#include "perennial/io/state.h"
#include "perennial/memory/memory.h"
#include "perennial/memory/replay_order.h"

namespace {

// The fuzzer cannot guess a checksum, so every input is also tried with a right one.
std::string with_checksum(std::string bytes) {
  const std::string_view key = "\"checksum\":\"";
  const size_t at = bytes.substr(0, 256).find(key);
  if (at == std::string::npos || at + key.size() + 8 > bytes.size()) return bytes;
  bytes.replace(at + key.size(), 8, "--------");
  bytes.replace(at + key.size(), 8, fmt::format("{:08x}", perennial::crc32c(bytes)));
  return bytes;
}

void decode(const std::string& bytes) {
  try {
    const perennial::State state = perennial::decode_state(bytes, "fuzz");
    perennial::Memory memory(perennial::MemoryBudget{100, 0});
    memory.load(state, "learner.memory.");
    perennial::ReplayOrder replay(1);
    replay.load(state, "learner.replay.");
    memory.take(replay.next(8, memory.size()));
  } catch (const perennial::Error&) {
  } catch (const std::invalid_argument&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  decode(bytes);
  decode(with_checksum(bytes));
  return 0;
}

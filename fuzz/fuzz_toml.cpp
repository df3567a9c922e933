#include <stdexcept>
#include <string_view>

#include "perennial/base/error.h"
#include "perennial/io/toml.h"
#include "perennial/run/grid.h"
#include "perennial/tasks/classify/config.h"

// A configuration that is accepted must come back from its own TOML.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const std::string_view given(reinterpret_cast<const char*>(data), size);
    try {
      perennial::parse_grid(given, "fuzz");
    } catch (const perennial::Error&) {
    }
    const auto settings = perennial::parse_toml(given, "fuzz");
    const auto config = perennial::make_config(settings);
    const std::string text = perennial::write_toml(config->table());
    const auto again = perennial::make_config(perennial::parse_toml(text, "again"));
    if (perennial::write_toml(again->table()) != text) __builtin_trap();
  } catch (const perennial::Error&) {
  } catch (const std::invalid_argument&) {
  }
  return 0;
}

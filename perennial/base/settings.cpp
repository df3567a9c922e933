#include "perennial/base/settings.h"

#include <stdexcept>

#include "perennial/base/options.h"

namespace perennial {

void Setting::apply(const OptionTable& table) const {
  try {
    table.set(name, value);
  } catch (const std::invalid_argument& e) {
    if (where.empty()) throw;
    throw std::invalid_argument(where + ": " + e.what());
  }
}

}  // namespace perennial

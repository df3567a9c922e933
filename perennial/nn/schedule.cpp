#include "perennial/nn/schedule.h"

#include <bit>
#include <cmath>
#include <numbers>
#include <stdexcept>

#include "perennial/base/text.h"

namespace perennial {

double warm_restarts(double lr, int64_t s) {
  const double least = 0.01 * lr;
  const auto length = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(s + 1)));
  const double position = static_cast<double>(s + 1 - length) / static_cast<double>(length);
  return least + (lr - least) * (1 + std::cos(std::numbers::pi * position)) / 2;
}

double rainbow_warm_restarts(double lr, int64_t epoch) {
  if (epoch == 0) return 0.1 * lr;
  return warm_restarts(lr, epoch - 1);
}

double cosine_to_zero(double lr, int64_t step, int64_t total) {
  if (total < 1 || step >= total) return 0;
  return lr * (1 + std::cos(std::numbers::pi * static_cast<double>(step) / static_cast<double>(total))) / 2;
}

double multistep(double lr, int64_t epoch) {
  if (epoch == 0) return 0.1 * lr;
  for (const int64_t milestone : {30, 60, 80, 90})
    if (epoch - 1 >= milestone) lr *= 0.1;
  return lr;
}

double learning_rate(const std::string& kind, double lr, int64_t epoch, int64_t epochs, int64_t step,
                     int64_t steps_per_epoch) {
  if (kind == "cosine") return cosine_to_zero(lr, epoch * steps_per_epoch + step, epochs * steps_per_epoch);
  if (kind == "warm_restarts") return warm_restarts(lr, epoch);
  if (kind == "rainbow_warm_restarts") return rainbow_warm_restarts(lr, epoch);
  if (kind == "multistep") return multistep(lr, epoch);
  if (kind == "constant") return lr;
  throw std::invalid_argument(
      "unknown schedule '" + kind + "'" +
      suggestion(kind, {"cosine", "warm_restarts", "rainbow_warm_restarts", "multistep", "constant"}));
}

}  // namespace perennial

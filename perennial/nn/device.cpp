#include "perennial/nn/device.h"

#include <algorithm>
#include <stdexcept>
#include <thread>

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include "perennial/base/log.h"
#include "perennial/base/text.h"
#include "perennial/nn/classifier.h"

namespace perennial {

void use_threads(int64_t threads) {
  const int n = threads > 0 ? static_cast<int>(threads) : std::max(1U, std::thread::hardware_concurrency());
  set_thread_count(n);
  at::get_num_threads();  // a thread of which this is the first question would take another's number later
  at::set_num_threads(n);
}

Working::Working(Context& context) : use_(context), libtorch_threads_(at::get_num_threads()) {
  at::set_num_threads(context.threads.size());
}
Working::~Working() { at::set_num_threads(libtorch_threads_); }

namespace {

/// Whether products in bfloat16 have instructions of their own here: without them libtorch computes them one
/// by one, many times slower than in float32.
bool has_bfloat16_products() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return true;
#endif
}

}  // namespace

void require_device(const Compute& compute) {
  require_known("device", compute.device, {"cpu", "cuda"});
  if (compute.device == "cuda" && !at::hasCUDA())
    throw std::invalid_argument(
        "device: no CUDA device can be used (a libtorch for the CPU, or no driver); use --device cpu");
}

void warn_of_slow_type(const Compute& compute) {
  if (compute.device == "cpu" && compute.dtype == "bfloat16" && !has_bfloat16_products())
    log_warning("dtype: this processor has no instructions for bfloat16; float32 is many times faster here");
}

}  // namespace perennial

#pragma once

#include <cstdint>

#include "perennial/base/context.h"

namespace perennial {

struct Compute;

/// std::invalid_argument for a device that is unknown or that this machine lacks.
void require_device(const Compute& compute);

/// Warns of a type that this processor computes slowly in.
void warn_of_slow_type(const Compute& compute);

/// From now on our kernels and libtorch's use this many threads for the work of the calling thread and of its
/// context; 0: as many as the machine has.
void use_threads(int64_t threads);

/// Works in a context for as long as this lives, on the thread that made it: its log, its names, its threads,
/// and libtorch's kernels with as many.
class Working {
 public:
  explicit Working(Context& context);
  ~Working();
  Working(const Working&) = delete;
  Working& operator=(const Working&) = delete;

 private:
  Context::Use use_;
  int libtorch_threads_;
};

}  // namespace perennial

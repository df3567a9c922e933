// What a program outside the project does: includes public headers, links perennial::perennial, uses a
// tensor.
#include <cstdio>

#include <ATen/ops/arange.h>

#include "perennial/base/random.h"
#include "perennial/base/version.h"
#include "perennial/data/samples.h"

int main() {
  namespace column = perennial::column;
  const perennial::Samples samples({10, 11, 12},
                                   {{column::kImage, at::arange(12, at::kByte).view({3, 1, 2, 2})},
                                    {column::kLabel, at::arange(3, at::kLong)}});
  const auto order = perennial::permutation(3, perennial::Random(1, "consumer"));
  const auto taken = perennial::take(samples, order);
  std::printf("perennial %s on libtorch %s: %d samples\n", perennial::version(),
              perennial::libtorch_version(), static_cast<int>(taken.size()));
  return taken.size() == 3 && taken.labels()[0] == order[0] ? 0 : 1;
}

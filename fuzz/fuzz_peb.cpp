#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "edge/engine.h"

namespace {

using namespace perennial::edge;

constexpr double kMostWork = 1e7;

double work(const Model& m) {
  double sum = 0;
  for (const OpRecord& op : m.ops()) {
    const TensorRecord &in = m.tensors()[op.input], &out = m.tensors()[op.output];
    sum += 1.0 * out.channels * out.height * out.width * op.kernel_h * op.kernel_w * in.channels +
           1.0 * in.height * in.width;
  }
  return sum;
}

}  // namespace

// The checksum is made to fit, so that the mutations reach what lies behind it: an error, or a run inside the
// arena.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::unique_ptr<uint64_t[]> aligned(new uint64_t[size / 8 + 1]);
  std::memcpy(aligned.get(), data, size);
  if (size >= sizeof(Header)) {
    const uint64_t fits = seal(aligned.get(), size);
    std::memcpy(reinterpret_cast<std::byte*>(aligned.get()) + offsetof(Header, checksum), &fits, sizeof fits);
  }
  try {
    const Model model = Model::from_memory({reinterpret_cast<const std::byte*>(aligned.get()), size});
    if (work(model) > kMostWork || model.arena() > (1 << 20)) return 0;
    Engine(model).run();
  } catch (const BadModel&) {
  }
  return 0;
}

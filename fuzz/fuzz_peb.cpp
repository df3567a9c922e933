#include <cstddef>
#include <cstring>
#include <memory>
#include <vector>

#include "edge/model.h"
#include "edge/perennial_edge.h"

namespace {

using namespace perennial::edge;

constexpr double kMostWork = 1e7;
constexpr uint64_t kMostMemory = 1 << 26;

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
// arena, whatever becomes of the records meanwhile.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::unique_ptr<uint64_t[]> aligned(new uint64_t[size / 8 + 1]);
  std::memcpy(aligned.get(), data, size);
  if (size < sizeof(Header)) return 0;
  auto* bytes = reinterpret_cast<std::byte*>(aligned.get());
  const uint64_t fits = seal(bytes, size);
  std::memcpy(bytes + offsetof(Header, checksum), &fits, sizeof fits);
  Header header;
  std::memcpy(&header, bytes, sizeof header);
  try {
    const Model model = Model::from_memory({bytes, size});
    if (work(model) > kMostWork || model.arena() > (1 << 20)) return 0;
  } catch (const BadModel&) {
    return 0;
  }
  const std::unique_ptr<pe_model, decltype(&pe_close)> m(pe_open_memory_within(bytes, size, kMostMemory),
                                                         &pe_close);
  if (m == nullptr) return 0;
  if (pe_memory_bytes(m.get()) > kMostMemory) __builtin_trap();
  std::memset(bytes, size % 256, weights_at(header));
  for (int32_t i = 0; i < pe_inputs(m.get()); ++i) {
    pe_port port;
    if (pe_describe_input(m.get(), i, &port) != 0) __builtin_trap();
    const std::vector<float> planes(size_t(port.channels) * size_t(port.height) * size_t(port.width), 1.0F);
    if (pe_set_input(m.get(), i, planes.data(), planes.size()) != 0) __builtin_trap();
  }
  if (pe_run(m.get()) != 0) __builtin_trap();
  for (int32_t o = 0; o < pe_outputs(m.get()); ++o) {
    const int32_t labels = pe_labels(m.get(), o);
    for (const int32_t i : {int32_t{0}, labels / 2, labels - 1})
      if (labels > 0 && std::strlen(pe_label(m.get(), o, i)) >= kLongestLabel) __builtin_trap();
    std::vector<float> p(static_cast<size_t>(labels));
    if (labels > 0 && pe_read_probabilities(m.get(), o, p.data(), p.size()) != 0) __builtin_trap();
  }
  uint8_t alpha[64];
  if (pe_outputs(m.get()) > 0) pe_read_matte_n(m.get(), 0, alpha, sizeof alpha, 8, 8, 8);
  return 0;
}

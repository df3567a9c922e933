#include <cstddef>
#include <cstring>
#include <vector>

#include "edge/ncm.h"

namespace {

using namespace perennial::edge;

constexpr ClassMeans::Source kSource{77, 1, 5};

}  // namespace

// The checksum is made to fit, so that the mutations reach what lies behind it: an error, or a state that
// learns and comes back as it was.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<std::byte> bytes(size);
  if (size > 0) std::memcpy(bytes.data(), data, size);
  if (size >= sizeof(Header)) {
    const uint64_t fits = seal(bytes.data(), size);
    std::memcpy(bytes.data() + offsetof(Header, checksum), &fits, sizeof fits);
  }
  try {
    ClassMeans means = ClassMeans::decode(bytes, kSource, 1 << 20, "fuzzed");
    const std::vector<float> features(kSource.features, 1.0F);
    means.learn("another", features);
    if (means.nearest(features) >= means.size()) __builtin_trap();
    const auto again = means.encode();
    ClassMeans::decode(again, kSource, 1 << 21, "again");
  } catch (const BadModel&) {
  }
  return 0;
}

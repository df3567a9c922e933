#include <cstdlib>

#include "perennial/base/error.h"
#include "perennial/data/binary_records.h"
#include "perennial/data/image_csv.h"
#include "perennial/io/gzip.h"

namespace {

using namespace perennial;

constexpr int64_t kMaxUnpacked = 1 << 20;

void idx(std::string_view bytes) {
  for (const int dimensions : {1, 3}) {
    const Idx found = parse_idx(bytes, dimensions, "fuzz");
    int64_t product = 1;
    for (const int64_t extent : found.shape) product *= extent;
    if (product != static_cast<int64_t>(found.data.size())) std::abort();
  }
}

void cifar(std::string_view bytes, int64_t label_bytes) {
  const CifarForm form{"CIFAR", label_bytes, label_bytes == 1 ? 10 : 100, 0};
  const auto labels = cifar_labels(bytes, form, "fuzz");
  std::vector<uint8_t> pixels(labels.size() * kCifarPixels);
  copy_cifar_pixels(bytes, form, pixels.data());
}

void csv(std::string_view bytes) {
  for (const CsvRow& row : parse_image_csv(bytes, "fuzz"))
    if (row.path.empty() || row.label.empty() || row.line < 1) std::abort();
}

void packed(std::string_view bytes) {
  const std::string out = gunzip(bytes, "fuzz", kMaxUnpacked);
  if (static_cast<int64_t>(out.size()) > kMaxUnpacked) std::abort();
  idx(out);
}

}  // namespace

// The first byte chooses the parser of the rest.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    switch (data[0] % 5) {
      case 0: idx(bytes); break;
      case 1: cifar(bytes, 1); break;
      case 2: cifar(bytes, 2); break;
      case 3: csv(bytes); break;
      default: packed(bytes);
    }
  } catch (const Error&) {
  }
  return 0;
}

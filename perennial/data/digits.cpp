#include <cstdint>

#include "perennial/data/sources.h"

// digits.bin as it lies in the repository, in the read-only part of the program; see digits.md for what it
// is.
__asm__(
    ".section .rodata\n"
    ".global perennial_digits_begin\n"
    ".global perennial_digits_end\n"
    "perennial_digits_begin:\n"
    ".incbin \"" PERENNIAL_DIGITS_FILE
    "\"\n"
    "perennial_digits_end:\n"
    ".byte 0\n"
    ".previous\n");
// Names of the assembler's. NOLINTNEXTLINE(readability-identifier-naming)
extern "C" const uint8_t perennial_digits_begin[], perennial_digits_end[];

namespace perennial {
namespace {

constexpr int64_t kSide = 8, kPixels = kSide * kSide, kRecord = kPixels + 1, kTestEvery = 5;
// Of the training part's pixels, on the [0, 1] scale.
constexpr double kMean = 0.305855, kStd = 0.376279;

uint8_t widen(uint8_t ink) { return static_cast<uint8_t>((ink * 255 + 8) / 16); }

Dataset part(int64_t samples, bool test) {
  const auto wanted = [&](int64_t i) { return (i % kTestEvery == kTestEvery - 1) == test; };
  Dataset set;
  set.name = "digits";
  set.is_digits = true;
  set.normalisation = {{kMean, kMean, kMean}, {kStd, kStd, kStd}};
  for (int digit = 0; digit < 10; ++digit) set.class_names.push_back(std::to_string(digit));
  for (int64_t i = 0; i < samples; ++i)
    if (wanted(i)) set.ids.push_back(i), set.labels.push_back(perennial_digits_begin[i * kRecord + kPixels]);
  set.inputs = allocate_images(set.size(), 1, kSide, kSide, 1.0);
  auto* out = set.inputs.mutable_data_ptr<uint8_t>();
  for (const int64_t id : set.ids)
    for (int64_t p = 0; p < kPixels; ++p) *out++ = widen(perennial_digits_begin[id * kRecord + p]);
  return set;
}

}  // namespace

DataSource load_digits() {
  const int64_t samples = (perennial_digits_end - perennial_digits_begin) / kRecord;
  return {part(samples, false), part(samples, true), "every fifth sample is test", {}};
}

}  // namespace perennial

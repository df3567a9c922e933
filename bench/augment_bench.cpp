// Augmented images a second on one thread, for each policy; bench/peer/augment_pil.py is the same by Pillow.
#include <numeric>
#include <string>
#include <vector>

#include <ATen/ops/empty.h>
#include <benchmark/benchmark.h>

#include "perennial/base/random.h"
#include "perennial/base/threads.h"
#include "perennial/data/augment.h"

namespace perennial {
namespace {

constexpr int64_t kBatch = 1024;

/// Smooth gradients with noise: like photographs, and unlike noise, neighbours are often equal.
at::Tensor pictures(int64_t channels, int64_t side) {
  at::Tensor images = at::empty({kBatch, channels, side, side}, at::TensorOptions().dtype(at::kByte));
  auto* data = images.mutable_data_ptr<uint8_t>();
  Random random(1, "bench");
  for (int64_t n = 0; n < kBatch * channels; ++n) {
    const float base = random.uniform(20, 120), dx = random.uniform(0, 2), dy = random.uniform(0, 2);
    for (int64_t y = 0; y < side; ++y)
      for (int64_t x = 0; x < side; ++x) {
        const float scale = 32.0F / static_cast<float>(side);
        const float v = base + scale * (dx * static_cast<float>(x) + dy * static_cast<float>(y));
        data[(n * side + y) * side + x] = static_cast<uint8_t>(v + random.uniform(0, 6));
      }
  }
  return images;
}

std::vector<int64_t> ids() {
  std::vector<int64_t> all(kBatch);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

void run_policy(benchmark::State& state, const std::string& policy, int64_t channels, int64_t side) {
  set_thread_count(1);
  const Samples images(ids(), {{column::kImage, pictures(channels, side)}});
  const Augmentation what = Augmentation::parse(policy);
  uint64_t position = 0;
  for (auto _ : state) benchmark::DoNotOptimize(augment(images, what, 1, position++));
  state.SetItemsProcessed(state.iterations() * kBatch);
}

void run_set(benchmark::State& state, const std::string& set, int64_t channels, int64_t side) {
  set_thread_count(1);
  const at::Tensor images = pictures(channels, side);
  const std::vector<int64_t> all = ids();
  uint64_t position = 0;
  for (auto _ : state)
    for (int view = 0; view < kPerturbations; ++view)
      benchmark::DoNotOptimize(perturb(images, all, parse_perturbation(set), view, 1, position++));
  state.SetItemsProcessed(state.iterations() * kBatch * kPerturbations);
}

void run_cutmix(benchmark::State& state) {
  set_thread_count(1);
  const at::Tensor images = pictures(3, 32);
  uint64_t position = 0;
  for (auto _ : state) benchmark::DoNotOptimize(cutmix(images, 1, position++).inputs);
  state.SetItemsProcessed(state.iterations() * kBatch);
}

void add_all() {
  for (const char* policy : {"crop,flip", "cutout", "autoaugment", "randaugment", "randaugment_uda"})
    benchmark::RegisterBenchmark(("augment/" + std::string(policy) + "/3x32x32").c_str(),
                                 [policy](benchmark::State& s) { run_policy(s, policy, 3, 32); });
  for (const char* policy : {"autoaugment", "randaugment"}) {
    benchmark::RegisterBenchmark(("augment/" + std::string(policy) + "/1x28x28").c_str(),
                                 [policy](benchmark::State& s) { run_policy(s, policy, 1, 28); });
    benchmark::RegisterBenchmark(("augment/" + std::string(policy) + "/3x224x224").c_str(),
                                 [policy](benchmark::State& s) { run_policy(s, policy, 3, 224); });
  }
  for (const char* set : {"vr", "vr_randaug", "vr_cutout", "vr_autoaug"})
    benchmark::RegisterBenchmark(("perturb/" + std::string(set) + "/3x32x32").c_str(),
                                 [set](benchmark::State& s) { run_set(s, set, 3, 32); });
  benchmark::RegisterBenchmark("cutmix/3x32x32", run_cutmix);
}

}  // namespace
}  // namespace perennial

int main(int argc, char** argv) {
  perennial::add_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

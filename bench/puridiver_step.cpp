// PuriDivER's memory step on batches of CIFAR-10: writes what bench/puridiver_step.py needs to do the same as
// a plain PyTorch program, and says how long it took. usage: bench_puridiver_step CIFAR10 OUT.safetensors
// [BATCHES]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include "perennial/base/progress.h"
#include "perennial/data/dataset.h"
#include "perennial/io/safetensors.h"
#include "perennial/learn/network_evidence.h"
#include "perennial/memory/puridiver.h"

namespace perennial {
namespace {

constexpr int64_t kMemory = 500, kBatch = 16;

int run(const std::string& data, const std::string& out, int64_t batches) {
  at::set_num_threads(1);
  Progress progress;
  Dataset train = load_data({.source = "cifar10:" + data}, progress).train;
  for (size_t i = 0; i < train.labels.size(); ++i)  // two in five are wrong
    if (Random random(1, "noise", 0, i); random.chance(0.4F))
      train.labels[i] = (train.labels[i] + 1 + random.below(9)) % 10;

  LearnerSetup setup;
  setup.model.name = "resnet18";
  setup.model.width = 0.25;
  setup.input_shape = {3, 32, 32};
  setup.labels = 10;
  setup.normalisation = train.normalisation;
  Trainer trainer(setup, {.head = HeadKind::kLinearNorm});
  std::vector<int64_t> classes;
  for (int64_t c = 0; c < 10; ++c) classes.push_back(c);
  trainer.meet(classes);

  double encoding = 0, whole = 0;
  const auto seconds = [](const auto& work) {  // of this thread, as the plain program measures
    const auto now = [] {
      timespec t{};
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
      return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
    };
    const double begin = now();
    work();
    return now() - begin;
  };
  const AskEvidence ask = [&](const Samples& samples) {
    auto evidence = std::make_unique<NetworkEvidence>(trainer, samples, nullptr, 0, nullptr, nullptr);
    encoding += seconds([&] { evidence->features(), evidence->losses(); });
    return evidence;
  };
  Memory memory(MemoryBudget{.samples = kMemory});
  PuridiverPolicy policy(1, 0.5, true, 1);
  std::vector<at::Tensor> kept;
  const int64_t filling = kMemory / kBatch + 1;
  for (int64_t b = 0; b < filling + batches; ++b) {
    std::vector<int64_t> rows;
    for (int64_t i = 0; i < kBatch; ++i) rows.push_back(b * kBatch + i);
    const Samples batch = train.get(rows);
    if (b == filling) encoding = whole = 0;
    whole += seconds([&] { policy.offer(memory, batch, ask); });
    std::vector<int64_t> own;  // rows of the data set
    for (const int64_t id : memory.ids())
      own.push_back(std::find(train.ids.begin(), train.ids.end(), id) - train.ids.begin());
    if (b + 1 >= filling) kept.push_back(at::tensor(own));
  }
  TensorFile file = trainer.model();
  std::vector<int64_t> shown;
  for (int64_t i = 0; i < (filling + batches) * kBatch; ++i) shown.push_back(i);
  const Samples all = train.get(shown);
  file.tensors["bench.images"] = all.tensor(column::kImage);
  file.tensors["bench.labels"] = all.tensor(column::kLabel);
  file.tensors["bench.kept"] = at::stack(kept);
  write_safetensors(out, file);
  fmt::print("{{\"batches\": {}, \"encoding_ms\": {:.3f}, \"selection_ms\": {:.3f}}}\n", batches,
             1000 * encoding / static_cast<double>(batches),
             1000 * (whole - encoding) / static_cast<double>(batches));
  return 0;
}

}  // namespace
}  // namespace perennial

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: bench_puridiver_step CIFAR10 OUT.safetensors [BATCHES]\n");
    return 2;
  }
  try {
    return perennial::run(argv[1], argv[2], argc > 3 ? std::atoll(argv[3]) : 50);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench_puridiver_step: %s\n", e.what());
    return 1;
  }
}

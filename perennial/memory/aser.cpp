#include "perennial/memory/aser.h"

#include <algorithm>
#include <numeric>
#include <set>

#include <ATen/TensorOperators.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/tensor.h>

#include "perennial/memory/admission.h"
#include "perennial/memory/knn_shapley.h"

namespace perennial {
namespace {

constexpr int64_t kEach = 2;  ///< of a class, in a class-balanced subsample

struct Known {
  at::Tensor features, labels;
};

Known look_at(const Samples& samples, const AskEvidence& ask) {
  const auto evidence = ask(samples);
  return {evidence->features(), evidence->rows()};
}

at::Tensor shapley(const Known& evaluation, const Known& candidates, int64_t k) {
  return knn_shapley(evaluation.features, evaluation.labels, candidates.features, candidates.labels, k);
}

std::vector<int64_t> largest(const at::Tensor& scores, int64_t count) {
  const at::Tensor order = scores.argsort(/*stable=*/true, 0, true).contiguous();
  const auto* rows = order.const_data_ptr<int64_t>();
  return {rows, rows + std::min(count, order.size(0))};
}

/// Rows of the batch whose class holds less than its share of the memory.
std::vector<int64_t> of_minorities(const Memory& memory, const Samples& batch) {
  const auto kept = rows_by_label(memory.labels());
  std::set<int64_t> classes;
  for (const auto& [label, rows] : kept) classes.insert(label);
  for (const int64_t label : batch.labels()) classes.insert(label);
  std::vector<int64_t> rows;
  const auto labels = batch.labels();
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto own = kept.find(labels[i]);
    const auto held = own == kept.end() ? 0 : std::ssize(own->second);
    if (held * std::ssize(classes) < memory.size()) rows.push_back(static_cast<int64_t>(i));
  }
  return rows;
}

}  // namespace

std::vector<int64_t> balanced_rows(std::span<const int64_t> labels, int64_t each, Random random,
                                   std::span<const int64_t> without) {
  const std::set<int64_t> taken(without.begin(), without.end());
  std::vector<int64_t> chosen;
  for (auto& [label, rows] : rows_by_label(labels)) {
    std::vector<int64_t> own;
    for (const int64_t row : rows)
      if (!taken.contains(row)) own.push_back(row);
    shuffle(own, random);
    own.resize(std::min<size_t>(own.size(), static_cast<size_t>(each)));
    chosen.insert(chosen.end(), own.begin(), own.end());
  }
  return chosen;
}

std::vector<int64_t> adversarial_rows(const Memory& memory, const Samples& batch, const AskEvidence& ask,
                                      int64_t count, int64_t k, bool mean, Random random) {
  // Of few classes more of each, so that there are enough to choose among.
  const auto classes = std::max<int64_t>(1, std::ssize(rows_by_label(memory.labels())));
  const int64_t each = std::max(kEach, (count + classes - 1) / classes);
  const std::vector<int64_t> own = balanced_rows(memory.labels(), each, random);
  std::vector<int64_t> others = balanced_rows(memory.labels(), each, random, own);
  if (others.empty()) others = own;
  const Known candidates = look_at(memory.take(own), ask);
  const at::Tensor with = shapley(look_at(memory.take(others), ask), candidates, k),
                   against = shapley(look_at(batch, ask), candidates, k);
  const at::Tensor score = mean ? with.mean(0) - against.mean(0) : with.amax(0) - against.amin(0);
  std::vector<int64_t> rows;
  for (const int64_t place : largest(score, count)) rows.push_back(own[static_cast<size_t>(place)]);
  return rows;
}

void AserPolicy::offer(Memory& memory, const Samples& batch, const AskEvidence& ask) {
  const auto position = static_cast<uint64_t>(++offers_);
  const int64_t before = memory.size(), room = memory.capacity(batch) - before;
  std::vector<char> stays(static_cast<size_t>(before + batch.size()), 1);
  if (batch.size() > room) {
    const auto enter = std::clamp<int64_t>(room, 0, batch.size());
    std::vector<int64_t> arriving(static_cast<size_t>(batch.size() - enter));
    std::iota(arriving.begin(), arriving.end(), enter);
    for (const int64_t row : arriving) stays[static_cast<size_t>(before + row)] = 0;
    if (before > 0) {
      Random random(seed_, "aser", position);
      const auto classes = std::ssize(rows_by_label(memory.labels()));
      std::vector<int64_t> pool = permutation(before, Random(seed_, "aser pool", position));
      pool.resize(std::min<size_t>(pool.size(), static_cast<size_t>(std::max(2 * classes, batch.size()))));
      const std::vector<int64_t> eval = balanced_rows(memory.labels(), kEach, random, pool);
      const Samples arrived = take(batch, arriving), minority = take(arrived, of_minorities(memory, arrived));
      const Samples judges =
          eval.empty() && minority.empty() ? memory.take(pool) : concat(memory.take(eval), minority);
      const at::Tensor values =
          shapley(look_at(judges, ask), look_at(concat(memory.take(pool), arrived), ask), k_).sum(0);
      for (const int64_t slot : pool) stays[static_cast<size_t>(slot)] = 0;
      for (const int64_t place : largest(values, std::ssize(pool)))
        stays[static_cast<size_t>(place < std::ssize(pool) ? pool[static_cast<size_t>(place)]
                                                           : before + enter + place - std::ssize(pool))] = 1;
    }
  }
  admit(memory, batch, stays, Random(seed_, "memory room", position));
}

}  // namespace perennial

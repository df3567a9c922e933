#include "tests/query/fixtures.h"

#include <algorithm>
#include <numeric>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include "perennial/data/augment/vectors.h"

namespace perennial {
namespace {

class ToyEvidence : public Evidence {
 public:
  ToyEvidence(Samples samples, const ToyPool::Logits& logits, int64_t& asked)
      : samples_(std::move(samples)), of_(logits), asked_(asked) {}
  const Samples& samples() const override { return samples_; }
  int64_t classes() const override { return of_(vectors().narrow(0, 0, 1)).size(1); }

 protected:
  at::Tensor make_features() override {
    asked_ += samples_.size();
    return vectors();
  }
  at::Tensor make_logits() override {
    if (!has_features()) asked_ += samples_.size();
    return of_(vectors());
  }
  at::Tensor make_passes(int64_t count, double share) override {
    std::vector<at::Tensor> all;
    for (int64_t t = 0; t < count; ++t)
      all.push_back(at::softmax(
          of_(drop_values(vectors(), samples_.ids(), share, 1, "toy", static_cast<uint64_t>(t))), 1));
    return at::stack(all);
  }

 private:
  const at::Tensor& vectors() const { return samples_.tensor(column::kVector); }

  Samples samples_;
  const ToyPool::Logits& of_;
  int64_t& asked_;
};

}  // namespace

ToyPool::ToyPool(at::Tensor vectors, Logits logits)
    : vectors_(std::move(vectors)), logits_(std::move(logits)) {
  ids_.resize(static_cast<size_t>(vectors_.size(0)));
  std::iota(ids_.begin(), ids_.end(), int64_t{100});
}

Samples ToyPool::get(std::span<const int64_t> rows) const {
  std::vector<int64_t> ids;
  for (const int64_t row : rows) ids.push_back(ids_.at(static_cast<size_t>(row)));
  return {std::move(ids), {{column::kVector, vectors_.index_select(0, at::tensor(rows, at::kLong))}}};
}

AskLearner ToyPool::ask() const {
  return [this](const Samples& samples) { return std::make_unique<ToyEvidence>(samples, logits_, asked); };
}

Query ToyPool::query(uint64_t seed, uint64_t round) const {
  std::vector<int64_t> rows(ids_.size());
  std::iota(rows.begin(), rows.end(), int64_t{0});
  return {*this, std::move(rows), {}, ask(), seed, round};
}

Query ToyPool::query(const std::vector<int64_t>& answered, std::vector<int64_t> labels, uint64_t seed) const {
  std::vector<int64_t> rows;
  for (int64_t row = 0; row < size(); ++row)
    if (std::find(answered.begin(), answered.end(), row) == answered.end()) rows.push_back(row);
  return {*this, std::move(rows), {get(answered), std::move(labels)}, ask(), seed};
}

at::Tensor normal_rows(int64_t n, int64_t d, uint64_t seed) {
  at::Tensor rows = at::empty({n, d});
  Random random(seed, "normal rows");
  for (float* x = rows.data_ptr<float>(); x != rows.data_ptr<float>() + rows.numel(); ++x)
    *x = static_cast<float>(random.normal());
  return rows;
}

at::Tensor blobs(const at::Tensor& centres, int64_t each, double deviation, uint64_t seed) {
  const at::Tensor middle = centres.repeat_interleave(each, 0);
  return middle + deviation * normal_rows(middle.size(0), middle.size(1), seed);
}

}  // namespace perennial

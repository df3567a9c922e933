#include "perennial/query/query.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

namespace perennial {
namespace {

constexpr int64_t kBlock = 4096;

}  // namespace

Query::Query(const Source& pool, std::vector<int64_t> rows, Answered answered, AskLearner ask, uint64_t seed,
             uint64_t round)
    : pool_(&pool),
      rows_(std::move(rows)),
      answered_(std::make_shared<Known>(Known{std::move(answered), {}})),
      ask_(std::move(ask)),
      seed_(seed),
      round_(round) {
  if (answered_->what.samples.size() != std::ssize(answered_->what.labels))
    throw std::invalid_argument("as many answers as samples that were answered are needed");
}

Query Query::narrowed(std::span<const int64_t> places) const {
  Query some = *this;
  some.rows_.clear();
  for (const int64_t place : places) some.rows_.push_back(rows_.at(static_cast<size_t>(place)));
  const at::Tensor index = at::tensor(places);
  if (features_.defined()) some.features_ = features_.index_select(0, index);
  if (probabilities_.defined()) some.probabilities_ = probabilities_.index_select(0, index);
  return some;
}

at::Tensor Query::each(const std::function<at::Tensor(Evidence&)>& of_block) const {
  std::vector<at::Tensor> parts;
  const std::span<const int64_t> all(rows_);
  for (int64_t begin = 0; begin < size(); begin += kBlock) {
    const auto count = static_cast<size_t>(std::min(kBlock, size() - begin));
    parts.push_back(of_block(*ask_(pool_->get(all.subspan(static_cast<size_t>(begin), count)))));
  }
  return parts.empty() ? at::zeros({0}) : at::cat(parts);
}

const at::Tensor& Query::features() {
  if (!features_.defined()) features_ = each([](Evidence& block) { return block.features(); });
  return features_;
}

const at::Tensor& Query::probabilities() {
  if (!probabilities_.defined())
    probabilities_ = each([this](Evidence& block) {
      columns_ = block.labels();
      return block.probabilities();
    });
  return probabilities_;
}

std::vector<int64_t> Query::answered_counts() {
  std::vector<int64_t> counts(static_cast<size_t>(probabilities().size(1)), 0);
  for (const int64_t label : answered().labels) {
    const auto column = std::find(columns_.begin(), columns_.end(), label);
    if (column != columns_.end()) ++counts[static_cast<size_t>(column - columns_.begin())];
  }
  return counts;
}

void Query::find_out_all() {
  if (features_.defined() && probabilities_.defined()) return;
  std::vector<at::Tensor> features;
  probabilities_ = each([&](Evidence& block) {
    features.push_back(block.features());
    columns_ = block.labels();
    return block.probabilities();
  });
  features_ = features.empty() ? at::zeros({0, 0}) : at::cat(features);
}

FactorisedGradients Query::gradients() {
  find_out_all();
  return {probabilities_ - at::one_hot(probabilities_.argmax(1), probabilities_.size(1)), features_};
}

const at::Tensor& Query::answered_features() {
  at::Tensor& known = answered_->features;
  if (!known.defined())
    known = answered().samples.empty() ? at::zeros({0, features().size(1)})
                                       : ask_(answered().samples)->features();
  return known;
}

at::Tensor Query::answered_features(bool of_a_class) {
  std::vector<int64_t> some;
  for (size_t i = 0; i < answered().labels.size(); ++i)
    if ((answered().labels[i] != kNoneOfThese) == of_a_class) some.push_back(static_cast<int64_t>(i));
  return answered_features().index_select(0, at::tensor(some, at::kLong));
}

std::vector<int64_t> Query::best(std::span<const float> scores, int64_t count) const {
  struct Rank {
    float score;
    uint64_t drawn;
    int64_t place;
  };
  std::vector<Rank> all(scores.size());
  for (int64_t i = 0; i < std::ssize(all); ++i)
    all[static_cast<size_t>(i)] = {scores[static_cast<size_t>(i)],
                                   mix64(mix64(seed_, round_), static_cast<uint64_t>(id(i))), i};
  const auto end = all.begin() + std::min<int64_t>(count, std::ssize(all));
  std::partial_sort(all.begin(), end, all.end(), [](const Rank& a, const Rank& b) {
    return a.score != b.score ? a.score > b.score : a.drawn < b.drawn;
  });
  std::vector<int64_t> places;
  for (auto rank = all.begin(); rank != end; ++rank) places.push_back(rank->place);
  return places;
}

}  // namespace perennial

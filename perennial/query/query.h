#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "perennial/base/random.h"
#include "perennial/data/source.h"
#include "perennial/memory/evidence.h"

namespace perennial {

/// The answer about a sample that belongs to no class that counts.
inline constexpr int64_t kNoneOfThese = -1;

/// What has been answered so far.
struct Answered {
  Samples samples;              ///< without labels among their columns
  std::vector<int64_t> labels;  ///< of each its label, or kNoneOfThese
};

/// What a learner is asked with: evidence about these samples, as Learner::evidence().
using AskLearner = std::function<std::shared_ptr<Evidence>(const Samples& samples)>;

/// A question about a pool: who is to be labelled next. Holds the candidates, what has been answered and a
/// learner that can be asked of both; everything is found out in blocks, so that no more of a pool lies in
/// memory than a strategy asks for whole.
class Query {
 public:
  /// `rows`: the candidates, rows of the pool. Everything random is a function of (seed, round). The pool
  /// and the learner outlive the query.
  Query(const Source& pool, std::vector<int64_t> rows, Answered answered, AskLearner ask, uint64_t seed,
        uint64_t round = 0);
  /// Some of this query's candidates, by their places in it and in that order; what was found out of them is
  /// kept.
  Query narrowed(std::span<const int64_t> places) const;

  int64_t size() const { return std::ssize(rows_); }
  const std::vector<int64_t>& rows() const { return rows_; }
  int64_t id(int64_t place) const {
    return pool_->sample_ids()[static_cast<size_t>(rows_[static_cast<size_t>(place)])];
  }

  /// What `of_block` makes of the candidates, [n, ...] each time, one block behind the other: [size, ...].
  at::Tensor each(const std::function<at::Tensor(Evidence&)>& of_block) const;
  /// float [size, D]
  const at::Tensor& features();
  /// float [size, classes]
  const at::Tensor& probabilities();
  /// Of each of their columns how many samples of its class have been answered: [classes].
  std::vector<int64_t> answered_counts();
  /// Both at once, which costs less than one after the other.
  void find_out_all();
  /// Of the loss to the class that each candidate is believed to be.
  FactorisedGradients gradients();

  const Answered& answered() const { return answered_->what; }
  /// float [answered, D]; [0, D] when nothing has been.
  const at::Tensor& answered_features();
  /// The same of those alone that belong to a class, or (false) to none.
  at::Tensor answered_features(bool of_a_class);

  Random random(std::string_view purpose, uint64_t id = 0) const { return {seed_, purpose, round_, id}; }
  /// Places of the candidates by falling score, at most `count`; equal ones in an order drawn by seed and id.
  std::vector<int64_t> best(std::span<const float> scores, int64_t count) const;

 private:
  struct Known {  ///< is the same for all that are narrowed from one
    Answered what;
    at::Tensor features;
  };

  const Source* pool_;
  std::vector<int64_t> rows_;
  std::shared_ptr<Known> answered_;
  AskLearner ask_;
  uint64_t seed_, round_;
  at::Tensor features_, probabilities_;
  std::vector<int64_t> columns_;  ///< of probabilities: their labels
};

}  // namespace perennial

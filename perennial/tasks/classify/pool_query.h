#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "perennial/learn/method.h"
#include "perennial/query/strategy.h"
#include "perennial/tasks/classify/config.h"

namespace perennial {

/// The label, in lists of answers, of a sample that belongs to no class that counts.
inline constexpr const char* kNoneOfTheseName = "none of these";

/// What a list says of samples of a pool.
struct PoolAnswers {
  std::vector<int64_t> rows;             ///< of the pool, rising
  std::vector<int64_t> labels;           ///< of each: index into class_names, or kNoneOfThese
  std::vector<std::string> class_names;  ///< `known` first, then new ones, sorted
  int64_t elsewhere = 0;                 ///< lines about samples that the pool does not have
};

/// Reads a list of paths (or rows of a features file, under the heading path) and labels. `known`: classes
/// that have an index already. Throws Error, with the line, for a sample with two labels.
PoolAnswers read_answers(const std::filesystem::path& file, const Dataset& pool,
                         const std::vector<std::string>& known = {});

/// A linear classifier of the pool's inputs (or, with a model, of what its frozen backbone makes of the
/// images: then `pool` holds those features afterwards) that has learned the answers.
std::unique_ptr<Learner> learn_answers(Dataset& pool, const PoolAnswers& answers, const ModelOptions& model,
                                       uint64_t seed, Progress& progress);

/// One sample that is to be labelled.
struct PoolPick {
  int64_t row = 0;
  std::string name;           ///< its path in the pool, or its row
  std::vector<float> scores;  ///< of each stage
  std::string predicted;      ///< empty where the learner knows no class
  double probability = 0;
};

struct PoolPicks {
  std::vector<std::string> stages;
  std::vector<PoolPick> picks;  ///< first to last
};

/// Of the pool's samples that have no answer, whom to ask about. `learner` takes the pool's samples.
PoolPicks choose_from_pool(const Dataset& pool, Learner& learner, const PoolAnswers& answers,
                           const Strategy& strategy, int64_t budget, uint64_t seed, Progress& progress);

/// rank,path,<stage>,...,predicted,probability and a line for each pick.
std::string picks_csv(const PoolPicks& picks);

}  // namespace perennial

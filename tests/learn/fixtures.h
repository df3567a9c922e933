#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "perennial/base/options.h"
#include "perennial/base/progress.h"
#include "perennial/learn/method.h"

namespace perennial {

/// Small images of one channel whose left, right, upper or lower half is bright: four classes that a small
/// net learns.
Samples halves(int64_t n, const std::vector<int64_t>& classes, uint64_t seed, int64_t first_id = 0);

LearnerSetup small_setup();

/// A method with its switches, the shared ones ("train.reset_head") and its own ("rm.policy").
struct Switched {
  std::string method;
  std::vector<std::pair<std::string, std::string>> options = {};
  bool as_released = false;

  std::string text() const;
};

/// A learner of it; std::invalid_argument for options that there are not.
std::unique_ptr<Learner> make_learner(const Switched& what, LearnerSetup setup = small_setup());

/// Shows the learner as many rows from `at` as it wants; gives how many.
int64_t observe_next(Learner& learner, const Samples& task, int64_t at);
/// The whole stream of a task; `after` is called after each batch.
void observe(Learner& learner, const Samples& task, const std::function<void()>& after = {});
/// The whole task, its consolidation included.
void learn_task(Learner& learner, const Samples& task);

double accuracy(const Predictor& predictor, const Samples& test);

/// The names of the tensors in which two models differ.
std::vector<std::string> differences(const Learner& a, const Learner& b);

/// After two tasks of two classes each, on the first two: what is left of them.
double kept_accuracy(const std::string& method);

/// Methods that are not built in (the examples) made known too, once; the names of all.
std::vector<std::string> all_methods();

}  // namespace perennial

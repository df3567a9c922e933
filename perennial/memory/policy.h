#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "perennial/base/random.h"
#include "perennial/memory/memory.h"

namespace perennial {

class OptionTable;

/// What a policy may ask about the candidates at a task boundary. What is costly is computed only when asked
/// for.
struct Candidates {
  const Samples& samples;                           ///< the task's samples and the memory's, in that order
  int64_t classes = 0;                              ///< classes seen so far: |C|
  std::function<at::Tensor()> features;             ///< float [N, D]
  std::function<std::vector<float>()> uncertainty;  ///< [N], in [0, 1)
};

struct PolicyOptions {
  std::string name = "reservoir";
  std::string stride = "spread";   ///< of rainbow: spread | floor | value
  std::string ties = "hash";       ///< of rainbow, among equal uncertainties: hash | id
  std::string update = "arrival";  ///< of online policies: arrival | after_pass (over the task's stream)

  /// `uncertainty`: the learner can estimate it, so that policies which ask for it may be chosen.
  void bind(OptionTable& table, const std::string& prefix, bool uncertainty = false);
};

/// Who stays in memory.
class Policy {
 public:
  virtual ~Policy() = default;
  /// An online policy decides on each sample as it arrives and needs no candidates at the boundary.
  virtual bool online() const = 0;
  /// Online: takes a batch in.
  virtual void offer(Memory& memory, const Samples& batch);
  /// At a boundary: chooses at most `capacity` rows of the candidates and their scores (or none).
  virtual std::vector<int64_t> select(const Candidates& candidates, int64_t capacity, uint64_t position,
                                      std::vector<float>& scores);
  virtual void save(State&, const std::string& /*prefix*/) const {}
  virtual void load(const State&, const std::string& /*prefix*/) {}
};

/// A policy that an option can name.
struct PolicyKind {
  std::string name;
  bool needs_uncertainty = false;  ///< not every learner can estimate it
  std::function<std::unique_ptr<Policy>(const PolicyOptions&, uint64_t seed)> make;
};

/// Makes a policy known to every method; a name that exists already is a std::invalid_argument.
void register_policy(PolicyKind kind);

/// random (class-balanced) | reservoir | greedy_balanced | herding | rainbow | certain (the most certain
/// only: the control of Rainbow Memory's ablation) | uncertain; then those that were registered. References
/// stay good when more come.
const std::deque<PolicyKind>& policies();

/// std::invalid_argument with a suggestion when there is none of that name.
std::unique_ptr<Policy> make_policy(const PolicyOptions& options, uint64_t seed);

/// The class-balanced skeleton that random, rainbow and herding share (Bang et al. 2021, algorithm 1): quota
/// floor(capacity / classes) per class, filled by `choose(rows of the class, quota)`; slots that remain are
/// filled uniformly at random from the unselected candidates of any class. Returns ascending rows.
std::vector<int64_t> select_balanced(
    std::span<const int64_t> labels, int64_t classes, int64_t capacity, Random random,
    const std::function<std::vector<int64_t>(std::vector<int64_t> rows, int64_t quota)>& choose);

}  // namespace perennial

#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "perennial/base/random.h"
#include "perennial/memory/evidence.h"
#include "perennial/memory/memory.h"

namespace perennial {

class OptionTable;

struct PolicyOptions {
  std::string name = "reservoir";
  std::string stride = "spread";   ///< of rainbow: spread | floor | value
  std::string ties = "hash";       ///< of rainbow, among equal uncertainties: hash | id
  std::string update = "arrival";  ///< of online policies: arrival | after_pass (over the task's stream)
  double balance = 0.5;            ///< of puridiver: alpha's coefficient
  bool purity = true;              ///< of puridiver: false: diversity alone
  int64_t refresh = 1;             ///< of puridiver: batches between two looks; of spread: rows at each
  bool of_rainbow = false;         ///< as released is what Rainbow Memory's repository does
  int64_t neighbours = 5;          ///< of aser: k

  /// `views`: the learner perturbs samples (Fact::kViews), so that policies which ask for that may be chosen.
  void bind(OptionTable& table, const std::string& prefix, bool views = false);
};

/// Who stays, of a number of candidates.
struct Choice {
  std::vector<int64_t> rows;
  std::vector<float> scores;  ///< one a row, for the report; or none
};

/// Who stays in memory.
class Policy {
 public:
  virtual ~Policy() = default;
  /// An online policy decides on each sample as it arrives and needs no candidates at the boundary.
  virtual bool online() const = 0;
  /// Online: takes a batch in. `ask` for what it needs to know of the batch, of the memory or of both
  /// (concat): of the network as it is now, after it has learned from the batch.
  virtual void offer(Memory& memory, const Samples& batch, const AskEvidence& ask);
  /// The same of a policy that asks for nothing.
  void offer(Memory& memory, const Samples& batch);
  /// At a boundary: chooses at most `capacity` of the candidates, which are the task's samples and the
  /// memory's, in that order.
  virtual Choice select(Evidence& candidates, int64_t capacity, uint64_t position);
  virtual void save(State&, const std::string& /*prefix*/) const {}
  virtual void load(const State&, const std::string& /*prefix*/) {}
};

/// A policy that an option can name.
struct PolicyKind {
  std::string name;
  std::vector<Fact> needs;  ///< what it asks of evidence
  std::function<std::unique_ptr<Policy>(const PolicyOptions&, uint64_t seed)> make;
};

/// Makes a policy known to every method in the calling thread's context; a name that exists already is a
/// std::invalid_argument.
void register_policy(PolicyKind kind);

/// random (class-balanced) | reservoir | greedy_balanced | balanced_reservoir | herding | rainbow | certain
/// (the most certain only: the control of Rainbow Memory's ablation) | uncertain | puridiver | ntd | gss |
/// aser | spread; then those that were registered. References stay good when more come.
const std::deque<PolicyKind>& policies();

/// std::invalid_argument with a suggestion when there is none of that name.
const PolicyKind& find_policy(const std::string& name);
std::unique_ptr<Policy> make_policy(const PolicyOptions& options, uint64_t seed);

/// std::invalid_argument when the policy needs to know what is not among `known`.
void require_facts(const PolicyKind& kind, std::span<const Fact> known);

/// The class-balanced skeleton that random, rainbow and herding share (Bang et al. 2021, algorithm 1): quota
/// floor(capacity / classes) per class, filled by `choose(rows of the class, quota)`; slots that remain are
/// filled uniformly at random from the unselected candidates of any class. Returns ascending rows.
std::vector<int64_t> select_balanced(
    std::span<const int64_t> labels, int64_t classes, int64_t capacity, Random random,
    const std::function<std::vector<int64_t>(std::vector<int64_t> rows, int64_t quota)>& choose);

}  // namespace perennial

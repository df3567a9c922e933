#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "perennial/query/query.h"

namespace perennial {

class OptionTable;

/// Candidates by their places in a query, the one that is wanted most first.
struct Ranked {
  std::vector<int64_t> places;
  std::vector<float> scores;  ///< of each, higher for what is wanted more
};

/// One step of a strategy: of the candidates it is given (in an order of preference, if a stage has been
/// before), those that it would rather have labelled.
class StrategyStage {
 public:
  virtual ~StrategyStage() = default;
  /// `count` of them, or all when they are fewer; of each once.
  virtual Ranked choose(Query& query, int64_t count) const = 0;
};

/// Options of every strategy; one table serves all.
struct StrategyOptions {
  int64_t passes = 10;        ///< of bald, batchbald: T
  double pass_dropout = 0.5;  ///< of bald, batchbald: share of features dropped in a pass
  int64_t clusters = 500;     ///< of typiclust: most of them
  double purity = 0.95;       ///< of probcover: of the balls that its radius is chosen for
  double radius = 0;          ///< of probcover; 0: chosen by purity
  int64_t classes = 0;        ///< of probcover: about how many there are; 0: as many as have answers
  double bandwidth = 1;       ///< of the herdings: sigma of the kernel, over features of length 1

  void bind(OptionTable& table);
};

/// A strategy, or a stage of one, that a name stands for.
struct StrategyKind {
  std::string name;
  std::string paper;        ///< who it is by
  std::string text;         ///< a line on what it does
  std::vector<Fact> needs;  ///< what it asks of evidence
  std::function<std::unique_ptr<StrategyStage>(const StrategyOptions&)> make;
};

/// Makes it known in the calling thread's context; a name that exists already is a std::invalid_argument.
void register_strategy(StrategyKind kind);
/// Those that are built in, then those that were registered. References stay good when more come.
const std::deque<StrategyKind>& strategies();
/// std::invalid_argument with a suggestion when there is none of that name.
const StrategyKind& find_strategy(const std::string& name);

/// Who is to be labelled: a chain of stages, "margin | typiclust". Each but the last narrows the candidates
/// for the next: to ten times the budget, or to what its name is followed by: a multiple of the budget
/// ("margin:20x"), a share of the candidates ("margin:10%") or a number of them ("margin:5000").
class Strategy {
 public:
  /// std::invalid_argument, which shows the place, for text that is no such chain.
  explicit Strategy(const std::string& text, const StrategyOptions& options = {});

  /// std::invalid_argument, which names the stage, when one needs to know what is not among `known`.
  void require(std::span<const Fact> known) const;

  /// Who, and what each stage thought of them.
  struct Picks {
    std::vector<int64_t> places;                                     ///< in the query, first to last
    std::vector<std::pair<std::string, std::vector<float>>> scores;  ///< of each stage, one a pick
  };
  /// As many as the budget, or all candidates when there are fewer. std::invalid_argument for a budget below
  /// one; Error when features are not finite.
  Picks select(Query& query, int64_t budget) const;

 private:
  struct Link {
    const StrategyKind* kind;
    std::unique_ptr<StrategyStage> stage;
    double keep;  ///< in the unit
    char unit;    ///< x: budgets, %: of the candidates, n: candidates
  };
  static int64_t kept(const Link& link, int64_t candidates, int64_t budget);

  std::vector<Link> links_;
};

}  // namespace perennial

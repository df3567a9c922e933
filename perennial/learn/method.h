#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "perennial/base/options.h"
#include "perennial/learn/learner.h"
#include "perennial/learn/train_options.h"
#include "perennial/memory/memory.h"
#include "perennial/nn/classifier.h"

namespace perennial {

/// A training step that was taken, for those who watch.
struct TrainingStep {
  int64_t step = 0;  ///< from 0, over the learner's life
  double lr = 0;
  double loss = 0;  ///< mean over the batch, penalties included
};

class Plugin;
struct LearnerSetup;
/// Makes a plug-in (plugin.h) for one learner.
using MakePlugin = std::function<std::unique_ptr<Plugin>(const LearnerSetup&)>;

/// Everything a learner is built from.
struct LearnerSetup {
  ModelOptions model;
  Compute compute;
  TrainOptions train;
  MemoryBudget memory;
  std::vector<int64_t> input_shape;  ///< of one sample: [C, H, W] or [D]
  Normalisation normalisation;
  bool is_digits = false;  ///< "augment = auto" then means none
  int64_t labels = 0;      ///< size of the label space known so far (it may grow)
  uint64_t seed = 1;
  std::function<void(const TrainingStep&)> on_step;  ///< called after each step when set; changes nothing
  std::vector<MakePlugin> plugins = {};              ///< wrapped around the network, in this order
};

/// The options of one method, bound under its name ("rm.views").
struct MethodOptions {
  virtual ~MethodOptions() = default;
  virtual void bind(OptionTable&) {}
  /// Changes shared defaults to what this method needs, before anything the user says.
  virtual void adjust(TrainOptions&) {}
  /// The same after `as_released` has been applied, where it is another method's code that the shared options
  /// follow.
  virtual void adjust_as_released(TrainOptions&) {}
};

/// Of a method whose released code is another one than Rainbow Memory's repository, which the shared options
/// follow.
struct OwnOptions : MethodOptions {
  void adjust_as_released(TrainOptions& train) override;
};

/// A method that `--learner` can name.
struct Method {
  std::string name;     ///< "rm"
  std::string title;    ///< "Rainbow Memory"
  std::string paper;    ///< "Bang et al., CVPR 2021"
  std::string summary;  ///< one line
  std::function<std::unique_ptr<MethodOptions>()> options;
  std::function<std::unique_ptr<Learner>(const LearnerSetup&, const MethodOptions&)> make;
};

/// A method whose learner is made from a setup and its options: `L(const LearnerSetup&, const Options&)`.
template <class Options, class L>
Method method(std::string name, std::string title, std::string paper, std::string summary) {
  return {std::move(name),
          std::move(title),
          std::move(paper),
          std::move(summary),
          [] { return std::make_unique<Options>(); },
          [](const LearnerSetup& setup, const MethodOptions& options) -> std::unique_ptr<Learner> {
            return std::make_unique<L>(setup, dynamic_cast<const Options&>(options));
          }};
}

/// The method `host` with a plug-in wrapped around its network, under a name of its own; its options are the
/// host's. To be registered.
Method with_plugin(const Method& host, std::string name, std::string title, MakePlugin plugin);

/// Makes a method known to every door (command line, TOML, reports) in the calling thread's context. Call it
/// before the run is configured; a name that exists already is a std::invalid_argument.
void register_method(Method method);

/// All methods, ours first, in the order of registration. References to them stay good when more come.
const std::deque<Method>& methods();

/// std::invalid_argument with a suggestion when there is none of that name.
const Method& find_method(const std::string& name);

}  // namespace perennial

// Methods put together from parts, beside plain replay: a loss term with a column of its own in memory, a
// plug-in on feature maps, a memory policy that asks for losses, and readers of a snapshot.
// docs/own_learner.md explains them. usage: example_05_parts [FOLDER]
#include <cstdio>
#include <thread>

#include "examples/05_own_learner/dark_replay.h"
#include "examples/05_own_learner/drop_channels.h"
#include "examples/05_own_learner/least_loss.h"
#include "perennial/run/run.h"
#include "perennial/tasks/classify/classify_recipe.h"

using namespace perennial;

namespace {

/// Trains on the digits with a fifth of the labels wrong; the accuracy on right ones.
double accuracy(const Settings& method, const std::filesystem::path& folder) {
  std::filesystem::remove_all(folder);
  Progress silent;
  Settings settings{{"data", "digits"}, {"noise", "sym:0.2"}, {"memory", "100"}, {"threads", "1"}};
  settings.insert(settings.end(), method.begin(), method.end());
  const auto run = Run::create(classify(settings), folder, silent);
  run->execute();
  const double last = run->metrics_json()["a_last"];
  std::printf("%-24s %.1f %%\n", folder.filename().c_str(), 100 * last);

  // Anybody may ask a snapshot, whatever the learner does meanwhile.
  const std::shared_ptr<const Predictor> now = run->learner().snapshot();
  const Samples some = run->learner().memory()->samples();
  std::vector<std::jthread> readers;
  for (int i = 0; i < 4; ++i) readers.emplace_back([&] { now->predict(some); });
  return last;
}

}  // namespace

int main(int argc, char** argv) {
  register_policy(least_loss_policy());
  register_method(dark_method());
  const MakePlugin drop = [](const LearnerSetup&) { return std::make_unique<DropChannels>("fc1", 0.05); };
  register_method(with_plugin(find_method("er"), "er-drop", "Experience replay, channels dropped", drop));
  register_method(with_plugin(find_method("rm"), "rm-drop", "Rainbow Memory, channels dropped", drop));

  const std::filesystem::path out = argc > 1 ? argv[1] : "out/05_parts";
  const double plain = accuracy({{"learner", "er"}}, out / "er");
  const double dark = accuracy({{"learner", "dark"}}, out / "dark");
  const double least = accuracy({{"learner", "er"}, {"er.policy", "least_loss"}}, out / "er-least-loss");
  const double er_drop = accuracy({{"learner", "er-drop"}}, out / "er-drop");
  const double rm_drop = accuracy({{"learner", "rm-drop"}}, out / "rm-drop");
  for (const double a : {plain, dark, er_drop, rm_drop})
    if (a < 0.5) return 1;
  return least > plain ? 0 : 1;
}

// A learner of one's own that changes one step of experience replay, beside plain replay:
// docs/own_learner.md. usage: example_05_patient_replay [FOLDER]
#include <cstdio>

#include "perennial/base/options.h"
#include "perennial/learn/replay_learner.h"
#include "perennial/run/run.h"
#include "perennial/tasks/classify/classify_recipe.h"

using namespace perennial;

namespace {

struct PatientOptions : MethodOptions {
  int64_t steps = 4;
  PolicyOptions policy;  // who stays: a reservoir unless the user says otherwise
  void bind(OptionTable& table) override {
    table.add("patient.steps", steps, "training steps on each stream batch").range(1, 100);
    policy.bind(table, "patient.");
  }
};

/// Experience replay with several steps on each stream batch, each with other samples from memory.
ReplayParts patient_replay(const LearnerSetup&, const PatientOptions& options) {
  const auto learn = [steps = options.steps](ReplayKit& kit, const Samples& batch) {
    for (int64_t i = 0; i < steps; ++i) replay_step(kit, batch);
    return batch;  // what the memory may keep
  };
  return {.policy = options.policy, .routine = std::make_unique<StreamThenMemory>(learn)};
}

double accuracy(const Settings& method, const std::filesystem::path& folder) {
  std::filesystem::remove_all(folder);
  Progress silent;
  Settings settings{{"data", "digits"}, {"memory", "100"}, {"threads", "1"}};
  settings.insert(settings.end(), method.begin(), method.end());
  const auto run = Run::create(classify(settings), folder, silent);
  run->execute();
  const double last = run->metrics_json()["a_last"];
  std::printf("accuracy %.1f %%, report in %s/report.html\n", 100 * last, folder.c_str());
  return last;
}

}  // namespace

int main(int argc, char** argv) {
  register_method(replay_method("patient", "Patient replay", "an example",
                                "several steps on each stream batch", patient_replay));
  const std::filesystem::path out = argc > 1 ? argv[1] : "out/05_patient_replay";
  const double plain = accuracy({{"learner", "er"}}, out / "er");
  const double patient = accuracy({{"learner", "patient"}, {"patient.steps", "2"}}, out / "patient");
  return plain > 0.8 && patient > 0.8 ? 0 : 1;
}

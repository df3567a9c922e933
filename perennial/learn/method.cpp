#include "perennial/learn/method.h"

#include <utility>

#include "perennial/base/context.h"
#include "perennial/learn/builtin.h"

namespace perennial {
namespace {

Registry<Method>& registry() {
  return Context::current().registry<Method>(
      [] { return Registry<Method>("method", "learner", builtin_methods()); });
}

}  // namespace

const std::deque<Method>& methods() { return registry().all(); }

Method with_plugin(const Method& host, std::string name, std::string title, MakePlugin plugin) {
  Method wrapped = host;
  wrapped.name = std::move(name);
  wrapped.title = std::move(title);
  wrapped.make = [make = host.make, plugin = std::move(plugin)](LearnerSetup setup,
                                                                const MethodOptions& options) {
    setup.plugins.push_back(plugin);
    return make(setup, options);
  };
  return wrapped;
}

void OwnOptions::adjust_as_released(TrainOptions& train) {
  train.stream_lr_factor = 1;
  train.schedule = "cosine";
  train.drop_last = train.reset_head = false;
}

void register_method(Method method) { registry().add(std::move(method)); }
const Method& find_method(const std::string& name) { return registry().find(name); }

}  // namespace perennial

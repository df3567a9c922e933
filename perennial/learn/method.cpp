#include "perennial/learn/method.h"

#include <algorithm>
#include <stdexcept>

#include "perennial/base/text.h"
#include "perennial/learn/builtin.h"

namespace perennial {
namespace {

std::deque<Method>& registry() {
  static std::deque<Method> all = builtin_methods();
  return all;
}

}  // namespace

const std::deque<Method>& methods() { return registry(); }

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

void register_method(Method method) {
  for (const Method& m : registry())
    if (m.name == method.name)
      throw std::invalid_argument("a method named '" + method.name + "' exists already");
  registry().push_back(std::move(method));
}

const Method& find_method(const std::string& name) {
  std::vector<std::string> names;
  for (const Method& m : registry()) {
    if (m.name == name) return m;
    names.push_back(m.name);
  }
  throw std::invalid_argument("learner: unknown method '" + name + "'" + suggestion(name, names));
}

}  // namespace perennial

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <typeindex>

#include "perennial/base/log.h"
#include "perennial/base/registry.h"
#include "perennial/base/threads.h"

namespace perennial {

/// What a piece of work has around it: its log, its threads, and what it knows by name (methods, policies,
/// tasks). A thread works in the context that it has entered, or else in one of its own; the process has
/// none. Every run makes itself one, so that two in one process do not know each other.
class Context {
 public:
  /// Nothing is logged; one thread; the names of the library.
  Context() : names_(std::make_shared<Names>()) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// One that shares its names with `other`: what either of them registers, both know.
  static Context beside(const Context& other) { return Context(other.names_); }

  /// The calling thread's.
  static Context& current();

  /// Enters a context for as long as this lives, on the thread that made it.
  class Use {
   public:
    explicit Use(Context& context);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    Context* before_;
  };

  Log log;
  ThreadPool threads;

  /// Things of one kind that are known by name; `library` makes them at the first question. A thread that
  /// registers must have no other beside it that works in a context of the same names.
  template <class T>
  Registry<T>& registry(const std::function<Registry<T>()>& library) {
    const std::lock_guard<std::recursive_mutex> lock(names_->mutex);
    std::shared_ptr<void>& slot = names_->registries[typeid(T)];
    if (!slot) slot = std::make_shared<Registry<T>>(library());
    return *static_cast<Registry<T>*>(slot.get());
  }

 private:
  struct Names {
    std::recursive_mutex mutex;  ///< what is of the library may ask for other names
    std::map<std::type_index, std::shared_ptr<void>> registries;
  };
  explicit Context(std::shared_ptr<Names> names) : names_(std::move(names)) {}

  std::shared_ptr<Names> names_;
};

}  // namespace perennial

#include "perennial/base/context.h"

#include <utility>

namespace perennial {
namespace {

thread_local Context* entered = nullptr;

}  // namespace

Context& Context::current() {
  if (entered != nullptr) return *entered;
  thread_local Context own;
  return own;
}

Context::Use::Use(Context& context) : before_(std::exchange(entered, &context)) {}
Context::Use::~Use() { entered = before_; }

}  // namespace perennial

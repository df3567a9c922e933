#include "perennial/base/error.h"

#include "perennial/base/utf8.h"

namespace perennial {
namespace {

std::string message(const Error::Context& c) {
  std::string text = c.doing;
  if (!c.path.empty()) text += ": " + c.path;
  if (!c.expected.empty()) text += ": expected " + c.expected;
  if (!c.found.empty()) text += (c.expected.empty() ? ": found " : ", found ") + c.found;
  return visible(text);
}

}  // namespace

Error::Error(Context context) : std::runtime_error(message(context)), context_(std::move(context)) {}

}  // namespace perennial

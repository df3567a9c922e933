#include "perennial/data/bad_files.h"

#include <algorithm>

#include "perennial/base/text.h"

namespace perennial {

void throw_bad(const std::vector<std::optional<Error>>& errors, const std::string& remedy) {
  constexpr size_t kMostNamed = 5;
  std::vector<const Error*> bad;
  for (const auto& error : errors)
    if (error) bad.push_back(&*error);
  if (bad.empty()) return;
  std::vector<std::string> others;
  for (size_t i = 1; i < std::min(bad.size(), kMostNamed + 1); ++i) others.push_back(bad[i]->context().path);
  Error::Context context = bad[0]->context();
  context.found += " (" + remedy + ")";
  if (bad.size() > 1)
    context.found += "; " + std::to_string(bad.size() - 1) + " more: " + join(others, ", ") +
                     (bad.size() > kMostNamed + 1 ? ", ..." : "");
  throw Error(context);
}

}  // namespace perennial

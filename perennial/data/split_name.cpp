#include "perennial/data/split_name.h"

#include "perennial/base/text.h"

namespace perennial {

std::optional<SplitName> split_name(std::string_view word) {
  const std::string name = lower(trim(word));
  if (name == "train" || name == "training") return SplitName::kTrain;
  if (name == "val" || name == "valid" || name == "validation") return SplitName::kValidation;
  if (name == "test" || name == "testing") return SplitName::kTest;
  return {};
}

std::optional<SplitName> tested_part(bool has_validation, bool has_test) {
  if (has_test) return SplitName::kTest;
  if (has_validation) return SplitName::kValidation;
  return {};
}

}  // namespace perennial

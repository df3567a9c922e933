#pragma once

#include <optional>
#include <string_view>

namespace perennial {

enum class SplitName { kTrain, kValidation, kTest };

/// The part of a data set that a folder or a field of a list names, in any case: train or training, val,
/// valid or validation, test or testing. None for any other word.
std::optional<SplitName> split_name(std::string_view word);

/// What is tested on of the parts that there are: test, else validation. None: it has to be held out.
std::optional<SplitName> tested_part(bool has_validation, bool has_test);

}  // namespace perennial

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace perennial {

struct Dataset;
struct DataSource;

/// Samples of each class by the labels as they arrive.
std::vector<int64_t> class_counts(const Dataset& dataset);

/// A text table of what was loaded: form and bytes of the samples, how the test part came about, samples of
/// each class, wrong labels where the truth is known, files that were skipped. For `perennial data info`.
std::string describe(const DataSource& source);

}  // namespace perennial

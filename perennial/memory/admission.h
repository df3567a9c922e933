#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "perennial/memory/memory.h"

namespace perennial {

// What policies have in common that let a whole batch in and then show someone the door. Candidates are the
// memory's rows and the batch's behind them.

std::vector<int64_t> candidate_labels(const Memory& memory, const Samples& batch);

/// The rows of each label (or of each row of the head), ascending.
std::map<int64_t, std::vector<int64_t>> rows_by_label(std::span<const int64_t> labels);

/// Which candidates stay when, as long as more than `capacity` are there, one of the largest class goes.
/// `worst(label, rows)` gives the place in `rows`, which are those of its class that are left, of the one to
/// go. Of equally large classes it is the one with the least `cost(rows)`, or a random one.
std::vector<char> shrink_largest(
    std::span<const int64_t> labels, int64_t capacity, Random random,
    const std::function<size_t(int64_t label, const std::vector<int64_t>& rows)>& worst,
    const std::function<double(const std::vector<int64_t>& rows)>& cost = {});

/// Puts those of the batch that stay into the slots of those of the memory that do not. Gives which candidate
/// lies in each slot then; nothing where a budget in bytes has moved them.
std::vector<int64_t> admit(Memory& memory, const Samples& batch, const std::vector<char>& stays,
                           Random random);

}  // namespace perennial

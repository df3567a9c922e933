#pragma once

#include <cstdint>
#include <vector>

namespace perennial {

/// Which of some samples (of one class) are held out for testing: those whose content, by its hash, falls
/// into `share`. It depends on the sample alone, so that it stays on its side when others come or go, or when
/// it comes again under another name; equal contents are on one side. Where few contents happen to leave a
/// side empty, the one of the lowest hash is held out, or that of the highest is not: there are both sides as
/// soon as there are two contents, and only such a lone one can change sides once the class has grown. A
/// share of 1 holds all out.
std::vector<bool> held_out(const std::vector<uint64_t>& contents, double share);

}  // namespace perennial

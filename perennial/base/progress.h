#pragma once

#include <cstdint>
#include <string>

namespace perennial {

/// What long work tells whoever watches. The library calls it; a program decides what to show.
/// The base class shows nothing.
class Progress {
 public:
  virtual ~Progress() = default;
  /// Begins a part of the work, `total` units long (samples, files, epochs; 0: unknown). Parts nest.
  virtual void begin(const std::string& /*what*/, int64_t /*total*/) {}
  virtual void advance(int64_t /*units*/) {}
  virtual void end() {}
  /// A line worth reading: a result on the way.
  virtual void note(const std::string& /*line*/) {}
  /// True when the work should stop at the next safe point (Ctrl-C).
  virtual bool stop_requested() const { return false; }
};

}  // namespace perennial

#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <utility>

namespace perennial {

/// What long work tells whoever watches. The library calls it; a program decides what to show.
/// The base class shows nothing.
class Progress {
 public:
  virtual ~Progress() = default;
  /// Begins a part of the work, `total` units long (samples, files, epochs; 0: unknown), `done` of them in an
  /// earlier process. Parts nest.
  virtual void begin(const std::string& /*what*/, int64_t /*total*/, int64_t /*done*/) {}
  virtual void advance(int64_t /*units*/) {}
  virtual void end() {}
  /// A line worth reading: a result on the way.
  virtual void note(const std::string& /*line*/) {}
  /// True when the work should stop at the next safe point (Ctrl-C).
  virtual bool stop_requested() const { return false; }
};

/// Thrown by long work when Progress asks it to stop.
struct Interrupted : std::exception {
  Interrupted() = default;
  explicit Interrupted(std::string how) : how_to_go_on(std::move(how)) {}
  const char* what() const noexcept override { return "interrupted"; }

  std::string how_to_go_on;  ///< a sentence for people, or nothing
};

/// A part of the work that ends where its scope does, also when an exception leaves it.
class ProgressPart {
 public:
  ProgressPart(Progress& progress, const std::string& what, int64_t total, int64_t done = 0)
      : progress_(progress) {
    progress_.begin(what, total, done);
  }
  ~ProgressPart() { progress_.end(); }
  ProgressPart(const ProgressPart&) = delete;
  ProgressPart& operator=(const ProgressPart&) = delete;

 private:
  Progress& progress_;
};

}  // namespace perennial

#pragma once

#include <functional>

#include "perennial/learn/online.h"

namespace perennial {

/// The memory has what arrives first, and then trains alone: train.updates steps for each batch that arrives,
/// on samples of the memory (CLIB, section 4.2). Under train.protocol = two_phase with epochs over it at each
/// task's end besides.
class MemoryOnly : public Routine {
 public:
  Choices choices() const override { return {.robust = true, .online = true}; }
  /// As many as others take of the stream once they replay.
  int64_t wanted(const ReplayKit& kit) const override;
  void observe(ReplayKit& kit, const Samples& batch) override;
  int64_t pieces(const ReplayKit& kit) const override { return boundary_.pieces(kit); }
  Piece piece(const ReplayKit& kit, int64_t i) const override { return boundary_.piece(kit, i); }
  void run(ReplayKit& kit, int64_t i, Progress& progress) override { boundary_.run(kit, i, progress); }

 protected:
  virtual void receive(ReplayKit& kit, const Samples& batch) { kit.rehearsal.receive(batch, kit.ask()); }
  virtual double rate(const ReplayKit& kit) const { return stream_lr(kit); }
  virtual void stepped(ReplayKit&, const Samples& /*batch*/) {}

 private:
  StreamThenMemory boundary_;  ///< what is done at a task's end
};

}  // namespace perennial

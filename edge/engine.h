#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "edge/kernels/kernels.h"
#include "edge/model.h"

namespace perennial::edge {

/// Runs a model. All memory is taken when it is made; a run allocates nothing. One engine belongs to one
/// thread at a time; engines of one model are independent.
class Engine {
 public:
  /// `kernels`: best_kernels() unless a test wants others.
  explicit Engine(Model model, const Kernels& kernels = best_kernels());

  const Model& model() const { return model_; }
  /// The planes of an input to fill, or of an output to read, in the arena: valid until the engine ends.
  std::span<float> input(size_t index);
  std::span<const float> output(size_t index) const;
  void run();
  /// The same, telling `after(operation, seconds)` how long each took.
  void run(const std::function<void(size_t, double)>& after);

  uint64_t arena_bytes() const;

 private:
  struct Table {
    std::vector<int32_t> left, top;
    std::vector<float> share, down;
  };
  struct FreeAligned {
    void operator()(float* p) const;
  };
  std::span<float> planes(uint32_t tensor) const;
  void plan();
  void step(size_t index);
  Epilogue epilogue(const OpRecord& op) const;
  Spatial spatial(const OpRecord& op) const;
  void pointwise(const OpRecord& op, const Epilogue& e);
  void dense(const OpRecord& op);

  Model model_;
  const Kernels& kernels_;
  std::unique_ptr<float[], FreeAligned> memory_;
  size_t zeros_at_ = 0, scratch_at_ = 0, floats_ = 0;  ///< places in memory_, and its size
  std::vector<Table> tables_;                          ///< of each operation; empty but for resizes
};

}  // namespace perennial::edge

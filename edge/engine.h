#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "edge/kernels/kernels.h"
#include "edge/model.h"
#include "edge/pool.h"
#include "edge/ready_weights.h"

namespace perennial::edge {

/// Runs a model. All memory is taken when it is made; a run allocates nothing. One engine belongs to one
/// thread at a time; engines of one model are independent.
class Engine {
 public:
  /// `kernels`: best_kernels() unless a test wants others.
  explicit Engine(Model model, const Kernels& kernels = best_kernels());

  const Model& model() const { return model_; }
  const Kernels& kernels() const { return kernels_; }
  /// The planes of an input to fill, or of an output to read, in the arena: valid until the engine ends.
  std::span<float> input(size_t index);
  std::span<const float> output(size_t index) const;
  /// Subnormal numbers are zero while it runs.
  void run();
  /// The same, telling `after(operation, seconds)` how long each took.
  void run(const std::function<void(size_t, double)>& after);
  /// A tensor as it lies there now; an operation's input is intact until the next operation has run.
  std::span<const float> tensor(uint32_t index) const { return planes(index); }

  /// How many threads run an operation, 1 at first: the caller's and a pool's. What comes out is the same, to
  /// the bit. Throws std::invalid_argument unless it is 1 to 64.
  void set_threads(size_t threads);
  /// Of all memory beside the model file.
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
  template <class Work>
  void split(size_t items, size_t least, size_t cost, const Work& work);
  template <class Work>
  void split_pixels(size_t pixels, size_t cost, const Work& work);
  Epilogue epilogue(const OpRecord& op) const;
  Spatial spatial(const OpRecord& op) const;
  const float* weight(const OpRecord& op) const { return weights_.floats(index_of(op)); }
  size_t index_of(const OpRecord& op) const { return static_cast<size_t>(&op - model_.ops().data()); }
  void pointwise(const OpRecord& op, const Epilogue& e);
  void quantised(const OpRecord& op, const Epilogue& e);
  void quantised_convolution(const OpRecord& op, const Epilogue& e);
  size_t quantised_scratch(const OpRecord& op) const;
  void take_words(size_t parts);

  Model model_;
  const Kernels& kernels_;
  ReadyWeights weights_;
  std::unique_ptr<float[], FreeAligned> memory_;
  size_t zeros_at_ = 0, scratch_at_ = 0, floats_ = 0;  ///< places in memory_, and its size
  std::vector<Table> tables_;                          ///< of each operation; empty but for resizes
  std::unique_ptr<Pool> pool_;                         ///< null: one thread
  size_t part_words_ = 0;                              ///< scratch of integer kernels: of a part, and
  std::vector<int32_t> words_;                         ///< of all parts that may run at the same time
};

}  // namespace perennial::edge

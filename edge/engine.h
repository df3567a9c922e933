#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "edge/budget.h"
#include "edge/interpolation.h"
#include "edge/kernels/kernels.h"
#include "edge/model.h"
#include "edge/pool.h"
#include "edge/ready_weights.h"

namespace perennial::edge {

/// Runs a model. All memory is taken when it is made; a run allocates nothing. One engine belongs to one
/// thread at a time; engines of one model are independent.
class Engine {
 public:
  /// `kernels`: best_kernels() unless a test wants others. Throws BadModel when more than `most_bytes` would
  /// be needed, the model's own among them.
  explicit Engine(Model model, const Kernels& kernels = best_kernels(), uint64_t most_bytes = kMostBytes);

  const Model& model() const { return model_; }
  const Kernels& kernels() const { return kernels_; }
  /// The planes of an input to fill, or of an output to read: valid until the engine ends. No input lies
  /// where an output does, so that outputs stay as they are until the next run.
  std::span<float> input(size_t index) { return inputs_.at(index).planes; }
  std::span<const float> output(size_t index) const;
  /// Writes one number all over every input, for a run of which nothing is to be learned.
  void fill_inputs(float value);
  /// Subnormal numbers are zero while it runs. Every input must have been written since the last run, which
  /// used its memory for other things: throws std::invalid_argument with the name of one that was not. (A run
  /// leaves a number of its own, no result of arithmetic, at the beginning of each; what is written there
  /// shows.)
  void run();
  /// The same, telling `after(operation, seconds)` how long each took: of the thread's own time, or with
  /// several threads, by the clock on the wall.
  void run(const std::function<void(size_t, double)>& after);
  /// A tensor as it lies there now; an operation's input is intact until the next operation has run.
  std::span<const float> tensor(uint32_t index) const { return planes(index); }

  /// How many threads run an operation, 1 at first: the caller's and a pool's. What comes out is the same, to
  /// the bit. Throws std::invalid_argument unless it is 1 to 64, BadModel when memory is short.
  void set_threads(size_t threads);
  /// All memory that is held, and what more may be; stacks of threads aside.
  Budget& budget() { return budget_; }
  const Budget& budget() const { return budget_; }

 private:
  struct Input {
    const char* name;  ///< in the model
    uint32_t tensor;
    bool apart;  ///< its planes are memory of its own, copied into the tensor when a run begins
    std::span<float> planes;
  };
  struct FreeAligned {
    void operator()(float* p) const;
  };
  std::span<float> planes(uint32_t tensor) const;
  void plan();
  void place_inputs();
  void take_inputs();
  void leave_inputs();
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
  /// Scratch of a convolution that runs as a product; 0: of one that does not.
  size_t laid_out_floats(const OpRecord& op) const;
  void laid_out(const OpRecord& op, const Epilogue& e);
  void quantised(const OpRecord& op, const Epilogue& e);
  void quantised_convolution(const OpRecord& op, const Epilogue& e);
  size_t quantised_scratch(const OpRecord& op) const;
  void take_words(size_t parts);

  Model model_;
  const Kernels& kernels_;
  Budget budget_;
  ReadyWeights weights_;
  std::unique_ptr<float[], FreeAligned> memory_;
  size_t zeros_at_ = 0, scratch_at_ = 0, floats_ = 0;  ///< places in memory_, and its size
  InterpolationTables tables_;
  std::vector<Input> inputs_;
  std::vector<float> apart_;    ///< planes of inputs
  std::unique_ptr<Pool> pool_;  ///< null: one thread
  size_t part_words_ = 0;       ///< scratch of integer kernels: of a part, and
  std::vector<int32_t> words_;  ///< of all parts that may run at the same time
};

}  // namespace perennial::edge

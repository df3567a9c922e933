#pragma once

// What the sources of the C interface share.

#include <exception>
#include <new>
#include <stdexcept>
#include <utility>
#include <vector>

#include "edge/engine.h"
#include "edge/image.h"
#include "edge/perennial_edge.h"
#include "edge/refine.h"

struct pe_model {
  pe_model(perennial::edge::Model m, uint64_t most_bytes)
      : engine(std::move(m), perennial::edge::best_kernels(), most_bytes) {
    engine.budget().take(sizeof *this);
  }
  perennial::edge::Engine engine;
  perennial::edge::Resizer resizer{&engine.budget()};
  perennial::edge::Refiner refiner{&engine.budget()};
  std::vector<float> matte;
};

namespace perennial::edge {

/// Sets pe_error()'s text.
void say(const char* what) noexcept;

/// Runs `work`; what it throws becomes the error text and `failed`.
template <class Result, class Work>
Result guarded(Result failed, Work work) noexcept {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    say("not enough memory");
  } catch (const std::exception& e) {
    say(e.what());
  } catch (...) {
    say("an unknown error");
  }
  return failed;
}

inline void require(bool good, const char* what) {
  if (!good) throw std::invalid_argument(what);
}

inline const PortRecord& port_of(const pe_model* model, bool is_output, int32_t index) {
  require(model != nullptr, "no model");
  require(index >= 0, "no such input or output");
  return model->engine.model().port(is_output, static_cast<size_t>(index));
}

}  // namespace perennial::edge

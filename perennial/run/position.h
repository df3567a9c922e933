#pragma once

#include <cstdint>

#include <nlohmann/json_fwd.hpp>

namespace perennial {

/// Where a run stands between two steps of its loop: all that decides what comes next.
struct Position {
  int64_t update = 0;            ///< 0: what the run begins with
  int64_t task = 0;              ///< tasks finished
  int64_t first_task = 0;        ///< of this update
  int64_t samples = 0;           ///< of the stream that have passed
  int64_t epochs = 0;            ///< of training finished
  int64_t measured_samples = 0;  ///< at the last measurement by schedule
  int64_t measured_epochs = 0;   ///< likewise
  int64_t piece = 0;             ///< pieces of the consolidation done and measured
  bool begun = false;            ///< what there is to measure before the update is measured
  bool consolidating = false;
  bool measuring = false;    ///< a piece is done, what follows from it is not
  bool more_pieces = false;  ///< of the consolidation, after the one being measured
  bool finished = false;

  /// Into and from an object of named values. load() throws nlohmann's exceptions for what is missing or of
  /// another type.
  void save(nlohmann::json& values) const;
  void load(const nlohmann::json& values);
};

}  // namespace perennial

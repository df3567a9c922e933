#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "perennial/data/column.h"

namespace perennial {

class State;

/// Names of columns that more than one room knows. A column says by its name what it holds; nothing is
/// guessed from its rank or type.
namespace column {
inline constexpr const char* kImage = "image";      ///< uint8 [N, C, H, W], C is 1 or 3
inline constexpr const char* kVector = "vector";    ///< float [N, D]: measurements, as they come
inline constexpr const char* kFeature = "feature";  ///< float [N, D]: what a frozen network makes of a sample
inline constexpr const char* kLabel = "label";      ///< int64 [N]
inline constexpr const char* kMask = "mask";        ///< uint8 [N, H, W]
// Images of any size, each its own: values of the planes one behind the other, of the mask, and both sides.
inline constexpr const char* kPhotograph = "photograph";           ///< ragged, uint8 [C * H * W]
inline constexpr const char* kPhotographMask = "photograph_mask";  ///< ragged, uint8 [H * W]
inline constexpr const char* kPhotographSize = "photograph_size";  ///< int64 [N, 2]: height, width
}  // namespace column

/// Samples side by side: ids and named columns, whose rows i are one sample. What streams yield, memories
/// keep and learners see. Without samples there are no columns either.
class Samples {
 public:
  using Columns = std::map<std::string, Column, std::less<>>;

  Samples() = default;
  /// Throws std::invalid_argument when a column has another number of rows than there are ids, or a name of
  /// other characters than a-z, 0-9 and _.
  Samples(std::vector<int64_t> ids, Columns columns);

  int64_t size() const { return std::ssize(ids_); }
  bool empty() const { return ids_.empty(); }
  const std::vector<int64_t>& ids() const { return ids_; }
  const Columns& columns() const { return columns_; }
  bool has(std::string_view name) const { return columns_.contains(name); }
  /// Throws std::invalid_argument, which says what there is, when there is none of that name.
  const Column& column(std::string_view name) const;
  /// The rows of a column, [N, ...]; std::invalid_argument when it is ragged too.
  const at::Tensor& tensor(std::string_view name) const;
  /// Class label of each row. Throws std::invalid_argument when there are none or they are not int64 [N].
  std::span<const int64_t> labels() const;
  /// The same samples with this column, new or in the place of the one of that name.
  Samples with(const std::string& name, Column column) const;

  /// Bytes of ids and rows: what a byte budget counts.
  int64_t bytes() const;
  int64_t row_bytes(int64_t i) const;

  friend bool operator==(const Samples&, const Samples&) = default;

 private:
  std::vector<int64_t> ids_;
  Columns columns_;
};

/// The named rows, copied, in that order.
Samples take(const Samples& samples, std::span<const int64_t> rows);

/// `count` rows from `begin`: the columns are views of those of `samples`.
Samples slice(const Samples& samples, int64_t begin, int64_t count);

/// All rows of all parts, in that order; parts without samples count for nothing. Throws
/// std::invalid_argument when the others differ in their columns.
Samples concat(std::span<const Samples> parts);
Samples concat(const Samples& a, const Samples& b);

/// To and from a saved state, under `prefix`. Reads what versions before columns wrote, too.
void save_samples(const Samples& samples, State& state, const std::string& prefix);
Samples load_samples(const State& state, const std::string& prefix);

}  // namespace perennial

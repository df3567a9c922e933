#include "perennial/memory/rainbow.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include <ATen/TensorOperators.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/softmax.h>

#include "perennial/memory/policies.h"

namespace perennial {
namespace {

// `sorted` by uncertainty: of those left, the nearest to each of `quota` values at equal distances.
std::vector<int64_t> choose_by_value(const std::vector<int64_t>& sorted, int64_t quota,
                                     const std::vector<float>& uncertainty) {
  std::vector<int64_t> left = sorted, chosen;
  const float least = uncertainty[sorted.front()], most = uncertainty[sorted.back()];
  for (int64_t i = 0; i < quota; ++i) {
    const float wanted =
        least + (most - least) * static_cast<float>(i) / static_cast<float>(std::max<int64_t>(1, quota - 1));
    const auto nearest = std::min_element(left.begin(), left.end(), [&](int64_t a, int64_t b) {
      return std::abs(uncertainty[a] - wanted) < std::abs(uncertainty[b] - wanted);
    });
    chosen.push_back(*nearest);
    left.erase(nearest);
  }
  return chosen;
}

std::vector<float> to_vector(const at::Tensor& values) {
  const at::Tensor v = values.to(at::kCPU, at::kFloat).contiguous();
  return {v.const_data_ptr<float>(), v.const_data_ptr<float>() + v.numel()};
}

Choice scored(std::vector<int64_t> rows, const std::vector<float>& uncertainty) {
  Choice choice{std::move(rows), {}};
  for (const int64_t row : choice.rows) choice.scores.push_back(uncertainty[row]);
  return choice;
}

}  // namespace

std::vector<int64_t> rainbow_choose(std::vector<int64_t> rows, int64_t quota,
                                    const std::vector<float>& uncertainty,
                                    const std::function<uint64_t(int64_t)>& tie_break,
                                    const std::string& stride) {
  const auto n = static_cast<int64_t>(rows.size());
  if (n <= quota) return rows;
  std::sort(rows.begin(), rows.end(), [&](int64_t a, int64_t b) {
    return std::tuple(uncertainty[a], tie_break(a), a) < std::tuple(uncertainty[b], tie_break(b), b);
  });
  if (stride == "value") return choose_by_value(rows, quota, uncertainty);
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < quota; ++i)
    chosen.push_back(rows[stride == "floor" ? i * (n / quota) : i * n / quota]);
  return chosen;
}

std::vector<float> variation_ratio(const at::Tensor& votes, int64_t views) {
  std::vector<float> u = to_vector(votes.amax(1));
  for (float& value : u) value = 1.0F - value / static_cast<float>(views);
  return u;
}

std::vector<float> lack_of_confidence(const at::Tensor& logits, const at::Tensor& rows) {
  const at::Tensor own = rows.view({1, -1, 1}).expand({logits.size(0), -1, 1});
  return to_vector(1 - at::softmax(logits, 2).gather(2, own).mean(at::IntArrayRef{0, 2}));
}

Choice RainbowPolicy::select(Evidence& candidates, int64_t capacity, uint64_t position) {
  const std::vector<float>& uncertainty = candidates.uncertainty();
  const auto tie_break = [&](int64_t row) {
    const auto id = static_cast<uint64_t>(candidates.samples().ids()[row]);
    return ties_ == "id" ? id : mix64(mix64(seed_, position), id);
  };
  const auto rows = select_balanced(
      candidates.samples().labels(), candidates.classes_met(), capacity,
      Random(seed_, "memory fill", position), [&](std::vector<int64_t> of_class, int64_t quota) {
        return rainbow_choose(std::move(of_class), quota, uncertainty, tie_break, stride_);
      });
  return scored(rows, uncertainty);
}

Choice ExtremePolicy::select(Evidence& candidates, int64_t capacity, uint64_t position) {
  const std::vector<float>& uncertainty = candidates.uncertainty();
  const float sign = most_certain_ ? 1.0F : -1.0F;
  const auto rows = select_balanced(
      candidates.samples().labels(), candidates.classes_met(), capacity,
      Random(seed_, "memory fill", position), [&](std::vector<int64_t> of_class, int64_t quota) {
        std::sort(of_class.begin(), of_class.end(), [&](int64_t a, int64_t b) {
          const auto key = [&](int64_t row) {
            const auto id = static_cast<uint64_t>(candidates.samples().ids()[row]);
            return std::tuple(sign * uncertainty[row], mix64(mix64(seed_, position), id), row);
          };
          return key(a) < key(b);
        });
        if (static_cast<int64_t>(of_class.size()) > quota) of_class.resize(quota);
        return of_class;
      });
  return scored(rows, uncertainty);
}

}  // namespace perennial

#include "perennial/memory/rainbow.h"

#include <algorithm>
#include <tuple>

#include <ATen/ops/amax.h>

#include "perennial/memory/policies.h"

namespace perennial {

std::vector<int64_t> rainbow_choose(std::vector<int64_t> rows, int64_t quota,
                                    const std::vector<float>& uncertainty,
                                    const std::function<uint64_t(int64_t)>& tie_break,
                                    const std::string& stride) {
  const auto n = static_cast<int64_t>(rows.size());
  if (n <= quota) return rows;
  std::sort(rows.begin(), rows.end(), [&](int64_t a, int64_t b) {
    return std::tuple(uncertainty[a], tie_break(a), a) < std::tuple(uncertainty[b], tie_break(b), b);
  });
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < quota; ++i)
    chosen.push_back(rows[stride == "floor" ? i * (n / quota) : i * n / quota]);
  return chosen;
}

std::vector<float> variation_ratio(const at::Tensor& votes, int64_t views) {
  const at::Tensor most = votes.amax(1).to(at::kFloat).contiguous();
  const float* m = most.const_data_ptr<float>();
  std::vector<float> u(most.numel());
  for (size_t i = 0; i < u.size(); ++i) u[i] = 1.0F - m[i] / static_cast<float>(views);
  return u;
}

std::vector<int64_t> RainbowPolicy::select(const Candidates& candidates, int64_t capacity, uint64_t position,
                                           std::vector<float>& scores) {
  const std::vector<float> uncertainty = candidates.uncertainty();
  const auto tie_break = [&](int64_t row) {
    const auto id = static_cast<uint64_t>(candidates.samples.ids[row]);
    return ties_ == "id" ? id : mix64(mix64(seed_, position), id);
  };
  const auto rows = select_balanced(
      candidates.samples.labels(), candidates.classes, capacity, Random(seed_, "memory fill", position),
      [&](std::vector<int64_t> of_class, int64_t quota) {
        return rainbow_choose(std::move(of_class), quota, uncertainty, tie_break, stride_);
      });
  scores.clear();
  for (const int64_t row : rows) scores.push_back(uncertainty[row]);
  return rows;
}

std::vector<int64_t> ExtremePolicy::select(const Candidates& candidates, int64_t capacity, uint64_t position,
                                           std::vector<float>& scores) {
  const std::vector<float> uncertainty = candidates.uncertainty();
  const float sign = most_certain_ ? 1.0F : -1.0F;
  const auto rows = select_balanced(
      candidates.samples.labels(), candidates.classes, capacity, Random(seed_, "memory fill", position),
      [&](std::vector<int64_t> of_class, int64_t quota) {
        std::sort(of_class.begin(), of_class.end(), [&](int64_t a, int64_t b) {
          const auto key = [&](int64_t row) {
            const auto id = static_cast<uint64_t>(candidates.samples.ids[row]);
            return std::tuple(sign * uncertainty[row], mix64(mix64(seed_, position), id), row);
          };
          return key(a) < key(b);
        });
        if (static_cast<int64_t>(of_class.size()) > quota) of_class.resize(quota);
        return of_class;
      });
  scores.clear();
  for (const int64_t row : rows) scores.push_back(uncertainty[row]);
  return rows;
}

}  // namespace perennial

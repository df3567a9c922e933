#include "perennial/tasks/classify/evaluate.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace perennial {
namespace {

double share(int64_t right, int64_t all) {
  return all == 0 ? std::numeric_limits<double>::quiet_NaN()
                  : static_cast<double>(right) / static_cast<double>(all);
}

}  // namespace

int64_t Evaluation::images() const { return std::accumulate(total.begin(), total.end(), int64_t{0}); }

void Evaluation::add(const Evaluation& other) {
  if (total.size() < other.total.size()) {
    total.resize(other.total.size(), 0);
    correct.resize(total.size(), 0);
    confusion.resize(total.size());
    for (auto& row : confusion) row.resize(total.size(), 0);
  }
  for (size_t c = 0; c < other.total.size(); ++c) {
    total[c] += other.total[c];
    correct[c] += other.correct[c];
    for (size_t p = 0; p < other.confusion[c].size(); ++p) confusion[c][p] += other.confusion[c][p];
  }
}

double Evaluation::accuracy(const std::vector<char>& counted) const {
  int64_t right = 0, all = 0;
  for (size_t c = 0; c < total.size(); ++c) {
    if (!counted.empty() && (c >= counted.size() || !counted[c])) continue;
    right += correct[c], all += total[c];
  }
  return share(right, all);
}

double Evaluation::class_accuracy(int64_t label) const {
  const auto c = static_cast<size_t>(label);
  return share(correct[c], total[c]);
}

Evaluation evaluate(const Predictor& predictor, const Dataset& test, int64_t labels, int64_t batch,
                    Progress& progress) {
  Evaluation e;
  e.total.assign(labels, 0);
  e.correct.assign(labels, 0);
  e.confusion.assign(labels, std::vector<int64_t>(labels, 0));
  for (int64_t begin = 0; begin < test.size(); begin += batch) {
    if (progress.stop_requested()) throw Interrupted{};
    const int64_t count = std::min(batch, test.size() - begin);
    const at::Tensor best = predictor.predict(test.unlabelled(begin, count)).argmax(1).contiguous();
    const int64_t* predicted = best.const_data_ptr<int64_t>();
    for (int64_t i = 0; i < count; ++i) {
      const int64_t label = test.labels[begin + i];
      if (label < 0 || label >= labels) continue;
      ++e.total[label];
      if (predicted[i] == label) ++e.correct[label];
      if (predicted[i] < labels) ++e.confusion[label][predicted[i]];
    }
    progress.advance(count);
  }
  return e;
}

}  // namespace perennial

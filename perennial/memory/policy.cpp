#include "perennial/memory/policy.h"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "perennial/base/options.h"
#include "perennial/base/text.h"
#include "perennial/memory/policies.h"

namespace perennial {

void PolicyOptions::bind(OptionTable& table, const std::string& prefix, bool uncertainty) {
  std::vector<std::string> names = policy_names();
  if (!uncertainty)
    std::erase_if(names,
                  [](const std::string& n) { return n == "rainbow" || n == "certain" || n == "uncertain"; });
  table.add(prefix + "policy", name, "who stays in memory").choices(names);
  table
      .add(prefix + "update", update,
           "when reservoir and greedy_balanced take samples in: as they arrive, or when the task's stream "
           "pass "
           "is over")
      .choices({"arrival", "after_pass"})
      .released("after_pass");
  if (!uncertainty) return;
  table
      .add(prefix + "stride", stride,
           "rainbow: how the sorted list is walked: by rank, as released (floor keeps the most certain when "
           "n < 2k), or in equal steps of the uncertainty's value")
      .choices({"spread", "floor", "value"})
      .released("floor");
  table.add(prefix + "ties", ties, "rainbow: order among equal uncertainties").choices({"hash", "id"});
}

void Policy::offer(Memory&, const Samples&) { throw std::logic_error("this policy chooses at boundaries"); }

std::vector<int64_t> Policy::select(const Candidates&, int64_t, uint64_t, std::vector<float>&) {
  throw std::logic_error("this policy chooses as samples arrive");
}

std::vector<std::string> policy_names() {
  return {"random", "reservoir", "greedy_balanced", "herding", "rainbow", "certain", "uncertain"};
}

std::unique_ptr<Policy> make_policy(const PolicyOptions& options, uint64_t seed) {
  const std::string& name = options.name;
  if (name == "random") return std::make_unique<RandomPolicy>(seed);
  if (name == "reservoir") return std::make_unique<ReservoirPolicy>(seed);
  if (name == "greedy_balanced") return std::make_unique<GreedyBalancedPolicy>(seed);
  if (name == "herding") return std::make_unique<HerdingPolicy>(seed);
  if (name == "rainbow") return std::make_unique<RainbowPolicy>(seed, options.stride, options.ties);
  if (name == "certain" || name == "uncertain")
    return std::make_unique<ExtremePolicy>(seed, name == "certain");
  throw std::invalid_argument("unknown memory policy '" + name + "'" + suggestion(name, policy_names()));
}

std::vector<int64_t> select_balanced(
    std::span<const int64_t> labels, int64_t classes, int64_t capacity, Random random,
    const std::function<std::vector<int64_t>(std::vector<int64_t> rows, int64_t quota)>& choose) {
  std::map<int64_t, std::vector<int64_t>> by_class;
  for (size_t i = 0; i < labels.size(); ++i) by_class[labels[i]].push_back(static_cast<int64_t>(i));
  const int64_t quota = capacity / std::max<int64_t>(1, classes);
  std::vector<char> taken(labels.size(), 0);
  int64_t count = 0;
  for (auto& [label, rows] : by_class)
    for (const int64_t row : choose(std::move(rows), quota)) taken[row] = 1, ++count;
  std::vector<int64_t> rest;
  for (size_t i = 0; i < taken.size(); ++i)
    if (!taken[i]) rest.push_back(static_cast<int64_t>(i));
  shuffle(rest, random);
  for (size_t i = 0; i < rest.size() && count < capacity; ++i, ++count) taken[rest[i]] = 1;
  std::vector<int64_t> rows;
  for (size_t i = 0; i < taken.size(); ++i)
    if (taken[i]) rows.push_back(static_cast<int64_t>(i));
  return rows;
}

}  // namespace perennial

#include "perennial/memory/policy.h"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "perennial/base/context.h"
#include "perennial/base/options.h"
#include "perennial/memory/aser.h"
#include "perennial/memory/gss.h"
#include "perennial/memory/policies.h"
#include "perennial/memory/puridiver.h"
#include "perennial/memory/spread.h"

namespace perennial {
namespace {

template <class P>
PolicyKind needing(const char* name, std::vector<Fact> facts) {
  return {name, std::move(facts),
          [](const PolicyOptions&, uint64_t seed) { return std::make_unique<P>(seed); }};
}

template <class P>
PolicyKind seeded(const char* name) {
  return needing<P>(name, {});
}

PolicyKind extreme(const char* name, bool most_certain) {
  return {name, {Fact::kViews}, [most_certain](const PolicyOptions&, uint64_t seed) {
            return std::make_unique<ExtremePolicy>(seed, most_certain);
          }};
}

bool needs(const PolicyKind& kind, Fact fact) {
  return std::find(kind.needs.begin(), kind.needs.end(), fact) != kind.needs.end();
}

std::deque<PolicyKind> builtin_policies() {
  return {seeded<RandomPolicy>("random"),
          seeded<ReservoirPolicy>("reservoir"),
          seeded<GreedyBalancedPolicy>("greedy_balanced"),
          seeded<BalancedReservoirPolicy>("balanced_reservoir"),
          needing<HerdingPolicy>("herding", {Fact::kFeatures}),
          {"rainbow",
           {Fact::kViews},
           [](const PolicyOptions& o, uint64_t seed) {
             return std::make_unique<RainbowPolicy>(seed, o.stride, o.ties);
           }},
          extreme("certain", true),
          extreme("uncertain", false),
          {"puridiver",
           {Fact::kFeatures, Fact::kLosses, Fact::kGradients},
           [](const PolicyOptions& o, uint64_t seed) {
             return std::make_unique<PuridiverPolicy>(seed, o.balance, o.purity, o.refresh);
           }},
          needing<CropLossPolicy>("ntd", {Fact::kCrops}),
          needing<GssPolicy>("gss", {Fact::kGradients}),
          {"aser",
           {Fact::kFeatures},
           [](const PolicyOptions& o, uint64_t seed) {
             return std::make_unique<AserPolicy>(seed, o.neighbours);
           }},
          {"spread", {Fact::kViews}, [](const PolicyOptions& o, uint64_t seed) {
             return std::make_unique<SpreadPolicy>(seed, o.refresh);
           }}};
}

Registry<PolicyKind>& registry() {
  return Context::current().registry<PolicyKind>(
      [] { return Registry<PolicyKind>("memory policy", "", builtin_policies()); });
}

}  // namespace

void PolicyOptions::bind(OptionTable& table, const std::string& prefix, bool views) {
  std::vector<std::string> names;
  for (const PolicyKind& kind : policies())
    if (views || !needs(kind, Fact::kViews)) names.push_back(kind.name);
  table.add(prefix + "policy", name, "who stays in memory").choices(names);
  table
      .add(prefix + "update", update,
           "when policies that know no more than labels take samples in: as they arrive, or when the task's "
           "stream "
           "pass "
           "is over")
      .choices({"arrival", "after_pass"})
      .released(of_rainbow ? "after_pass" : "");
  table
      .add(prefix + "balance", balance,
           "puridiver: most weight of diversity (alpha's coefficient); 0: purity alone")
      .range(0, 1);
  table.add(prefix + "purity", purity, "puridiver: losses count; false: diversity alone (ablation)");
  table
      .add(
          prefix + "refresh", refresh,
          "puridiver: look at the memory again after so many batches; more than 1 is approximate. spread: of "
          "how many samples the uncertainty is found out anew at each batch")
      .range(1, 1e9);
  table.add(prefix + "neighbours", neighbours, "aser: k, of nearest neighbours").range(1, 1000);
  if (!views) return;
  table
      .add(prefix + "stride", stride,
           "rainbow: how the sorted list is walked: by rank, as released (floor keeps the most certain when "
           "n < 2k), or in equal steps of the uncertainty's value")
      .choices({"spread", "floor", "value"})
      .released("floor");
  table.add(prefix + "ties", ties, "rainbow: order among equal uncertainties").choices({"hash", "id"});
}

void Policy::offer(Memory&, const Samples&, const AskEvidence&) {
  throw std::logic_error("this policy chooses at boundaries");
}

void Policy::offer(Memory& memory, const Samples& batch) {
  offer(memory, batch, [](const Samples&) -> std::unique_ptr<Evidence> {
    throw std::logic_error("there is nobody here to ask about samples");
  });
}

Choice Policy::select(Evidence&, int64_t, uint64_t) {
  throw std::logic_error("this policy chooses as samples arrive");
}

void register_policy(PolicyKind kind) { registry().add(std::move(kind)); }
const std::deque<PolicyKind>& policies() { return registry().all(); }
const PolicyKind& find_policy(const std::string& name) { return registry().find(name); }

std::unique_ptr<Policy> make_policy(const PolicyOptions& options, uint64_t seed) {
  return find_policy(options.name).make(options, seed);
}

void require_facts(const PolicyKind& kind, std::span<const Fact> known) {
  require_facts("the memory policy '" + kind.name + "'", kind.needs, known);
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

#include "perennial/query/strategy.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

#include "perennial/base/context.h"
#include "perennial/base/options.h"
#include "perennial/base/registry.h"
#include "perennial/base/text.h"
#include "perennial/query/stages.h"

namespace perennial {
namespace {

Registry<StrategyKind>& registry() {
  return Context::current().registry<StrategyKind>(
      [] { return Registry<StrategyKind>("strategy", "", builtin_strategies()); });
}

/// What follows a stage's name: "20x", "10%" or "5000".
std::pair<double, char> parse_keep(std::string_view text, const std::string& whole) {
  const char last = text.empty() ? ' ' : text.back();
  const bool has_unit = last == 'x' || last == '%';
  const std::string what = "--strategy " + whole + ": how many are kept";
  const double number = parse_number(text.substr(0, text.size() - (has_unit ? 1 : 0)), what);
  const char unit = has_unit ? last : 'n';
  if (number <= 0 || (unit == '%' && number > 100) || (unit == 'x' && number < 1))
    throw std::invalid_argument(fmt::format(
        "{} must be a multiple of the budget (10x), a share (10%) or a number (5000), not {}", what, text));
  return {number, unit};
}

}  // namespace

void StrategyOptions::bind(OptionTable& table) {
  table.add("query.passes", passes, "bald, batchbald: passes of the network with dropout").range(2, 1000);
  table.add("query.pass_dropout", pass_dropout, "bald, batchbald: share of features dropped in each")
      .range(0, 0.99);
  table.add("query.clusters", clusters, "typiclust: most of them").range(1, 100000);
  table.add("query.purity", purity, "probcover: share of balls of one class that its radius is chosen for")
      .range(0.01, 1);
  table.add("query.radius", radius, "probcover: of the balls; 0: chosen by query.purity").range(0, 1e9);
  table
      .add("query.bandwidth", bandwidth,
           "maxherding, uherding: sigma of the kernel, over features of length 1")
      .range(1e-3, 1e3);
  table.add("query.classes", classes, "probcover: about how many there are; 0: as many as have answers")
      .range(0, 1000000);
}

void register_strategy(StrategyKind kind) { registry().add(std::move(kind)); }
const std::deque<StrategyKind>& strategies() { return registry().all(); }
const StrategyKind& find_strategy(const std::string& name) { return registry().find(name); }

Strategy::Strategy(const std::string& text, const StrategyOptions& options) {
  const std::vector<std::string> words = split(text, '|');
  if (std::ssize(words) != 1 + std::count(text.begin(), text.end(), '|'))
    throw std::invalid_argument(
        fmt::format("--strategy {}: a name is missing; it is to be as in margin:20x | typiclust", text));
  for (const std::string& word : words) {
    const size_t colon = word.find(':');
    const StrategyKind& kind = find_strategy(trim(word.substr(0, colon)));
    Link link{&kind, kind.make(options), 10, 'x'};
    if (colon != std::string::npos)
      std::tie(link.keep, link.unit) = parse_keep(trim(std::string_view(word).substr(colon + 1)), text);
    links_.push_back(std::move(link));
  }
}

void Strategy::require(std::span<const Fact> known) const {
  for (const Link& link : links_)
    require_facts("the strategy '" + link.kind->name + "'", link.kind->needs, known);
}

int64_t Strategy::kept(const Link& link, int64_t candidates, int64_t budget) {
  double count = link.keep;
  if (link.unit == 'x') count *= static_cast<double>(budget);
  if (link.unit == '%') count *= static_cast<double>(candidates) / 100;
  return std::clamp(static_cast<int64_t>(std::ceil(std::min(count, 1e18))), std::min(budget, candidates),
                    candidates);
}

Strategy::Picks Strategy::select(Query& query, int64_t budget) const {
  if (budget < 1)
    throw std::invalid_argument(fmt::format("a budget of {}: at least one label is needed", budget));
  Picks picks;
  Query narrowed = query;
  Query* asked = &query;
  for (const Link& link : links_) {
    const bool last = &link == &links_.back();
    const int64_t count = last ? std::min(budget, asked->size()) : kept(link, asked->size(), budget);
    const Ranked ranked = link.stage->choose(*asked, count);
    std::vector<int64_t> places;
    for (auto& [stage, scores] : picks.scores) {
      std::vector<float> own;
      for (const int64_t place : ranked.places) own.push_back(scores[static_cast<size_t>(place)]);
      scores = std::move(own);
    }
    for (const int64_t place : ranked.places)
      places.push_back(asked == &query ? place : picks.places[static_cast<size_t>(place)]);
    picks.places = std::move(places);
    picks.scores.emplace_back(link.kind->name, ranked.scores);
    if (last) break;
    narrowed = asked->narrowed(ranked.places);
    asked = &narrowed;
  }
  return picks;
}

}  // namespace perennial

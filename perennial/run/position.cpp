#include "perennial/run/position.h"

#include <nlohmann/json.hpp>

namespace perennial {
namespace {

template <class Self, class Visit>
void for_each(Self& self, Visit visit) {
  visit("update", self.update);
  visit("task", self.task);
  visit("first_task", self.first_task);
  visit("position", self.samples);
  visit("epochs", self.epochs);
  visit("measured_samples", self.measured_samples);
  visit("measured_epochs", self.measured_epochs);
  visit("piece", self.piece);
  visit("begun", self.begun);
  visit("consolidating", self.consolidating);
  visit("measuring", self.measuring);
  visit("more_pieces", self.more_pieces);
  visit("finished", self.finished);
}

}  // namespace

void Position::save(nlohmann::json& values) const {
  for_each(*this, [&](const char* name, const auto& value) { values[name] = value; });
}

void Position::load(const nlohmann::json& values) {
  for_each(*this, [&](const char* name, auto& value) { values.at(name).get_to(value); });
}

}  // namespace perennial

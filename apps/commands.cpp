#include "apps/commands.h"

#include <algorithm>

namespace perennial::apps {
namespace {

// Files are initialised in any order.
std::vector<Command>& registry() {
  static std::vector<Command> all;
  return all;
}

}  // namespace

Command::Command(int at, std::string its_name, Work its_work, Add its_add)
    : place(at), name(std::move(its_name)), work(its_work), add(its_add) {
  registry().push_back(*this);
}

std::vector<Command> commands() {
  std::vector<Command> all = registry();
  std::sort(all.begin(), all.end(), [](const Command& a, const Command& b) { return a.place < b.place; });
  return all;
}

}  // namespace perennial::apps

#pragma once

#include <string>
#include <vector>

namespace perennial {

class OptionTable;

/// One option as a user gave it.
struct Setting {
  std::string name, value;
  std::string where = {};  ///< "file:line" when it comes from a file

  /// Gives it to the table. A bad value or an unknown name is std::invalid_argument that says where it
  /// stands.
  void apply(const OptionTable& table) const;
};

/// In the order given; later ones win.
using Settings = std::vector<Setting>;

}  // namespace perennial

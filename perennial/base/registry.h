#pragma once

#include <deque>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "perennial/base/text.h"

namespace perennial {

/// Things that an option can name: those of the library first, then others in the order in which they come.
/// References to them stay good when more come. `T` has a `name`.
template <class T>
class Registry {
 public:
  /// `noun` says what they are ("method"), for errors; so does `option`, the one that names them ("learner"),
  /// where there is one only.
  Registry(std::string noun, std::string option, std::deque<T> ours)
      : noun_(std::move(noun)), option_(std::move(option)), all_(std::move(ours)) {}

  /// std::invalid_argument for a name that exists already.
  void add(T thing) {
    for (const T& known : all_)
      if (known.name == thing.name)
        throw std::invalid_argument("a " + noun_ + " named '" + thing.name + "' exists already");
    all_.push_back(std::move(thing));
  }

  /// std::invalid_argument with a suggestion when there is none of that name.
  const T& find(const std::string& name) const {
    std::vector<std::string> names;
    for (const T& thing : all_) {
      if (thing.name == name) return thing;
      names.push_back(thing.name);
    }
    throw std::invalid_argument((option_.empty() ? "" : option_ + ": ") + "unknown " + noun_ + " '" + name +
                                "'" + suggestion(name, names));
  }

  const std::deque<T>& all() const { return all_; }

 private:
  std::string noun_, option_;
  std::deque<T> all_;
};

}  // namespace perennial

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "edge/model.h"

namespace perennial::edge {

/// Classes learned from features that a network gives: nearest class mean (Mensink, Verbeek, Perronnin,
/// Csurka, "Distance-Based Image Classification", PAMI 2013) on features of unit length (Rebuffi et al.,
/// "iCaRL", CVPR 2017, section 2.1). Of each class the sum of its examples' unit features is kept and their
/// number; learning one more example is one addition, and its order does not matter.
class ClassMeans {
 public:
  /// What a state belongs to: the model file (Model::checksum()) and which of its outputs the features are.
  struct Source {
    uint64_t model;
    uint32_t output, features;
  };
  /// No class yet. A state never takes more than `most_bytes`, in memory or as a file.
  ClassMeans(const Source& source, uint64_t most_bytes);
  /// A saved state, which must belong to `source`. Throws BadModel that begins with `name`.
  static ClassMeans decode(std::span<const std::byte> bytes, const Source& source, uint64_t most_bytes,
                           const std::string& name);
  std::vector<std::byte> encode() const;

  /// Adds an example; a class of a new name is the last one then. `features` [source.features], not all zero;
  /// names have 1 to 255 bytes. Throws std::invalid_argument when the example is none or the class does not
  /// fit, and nothing has changed then.
  void learn(const std::string& name, std::span<const float> features);
  /// False when there is no such class; those behind it move up.
  bool forget(const std::string& name);
  /// The class whose mean is nearest by angle, and into `similarities` [size()] the cosine to each unless it
  /// is empty; size() when there is no class.
  size_t nearest(std::span<const float> features, std::span<float> similarities = {}) const;

  size_t size() const { return classes_.size(); }
  const std::string& name(size_t index) const { return classes_[index].name; }
  uint64_t examples(size_t index) const { return classes_[index].examples; }
  /// Of the saved state; what is held in memory differs little.
  uint64_t bytes() const { return bytes_; }

 private:
  struct Class {
    std::string name;
    uint64_t examples = 0;
    std::vector<float> sum;
  };
  uint64_t bytes_of(const std::string& name) const;

  Source source_;
  uint64_t most_bytes_, bytes_;
  std::vector<Class> classes_;
};

}  // namespace perennial::edge

#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "edge/perennial_edge.h"

namespace perennial::edge {

/// The C interface as values that close themselves; every failure is a std::runtime_error with its text.
inline void check(bool good) {
  if (!good) throw std::runtime_error(pe_error());
}

/// A text for C, which ends at the first zero byte: one inside would cut it.
inline const char* c_string(const std::string& text) {
  if (text.find('\0') != std::string::npos) throw std::runtime_error("a zero byte in a name");
  return text.c_str();
}

/// Where a network's weights lie: in memory, or in the file (pe_open_mapped() says what that asks of the
/// file).
enum class Access { kRead, kMap };

/// A network of one image input. What a span says it has is what is read and written; too little is refused.
class Network {
 public:
  /// Never holds more than `most_bytes` of memory (0: 1 GiB).
  explicit Network(const std::string& path, Access access = Access::kRead, size_t most_bytes = 0)
      : model_(access == Access::kMap ? pe_open_mapped(c_string(path), most_bytes)
                                      : pe_open_within(c_string(path), most_bytes)) {
    check(model_ != nullptr);
  }
  /// Of a file in memory, aligned to 8, which must outlive it.
  explicit Network(std::span<const std::byte> file, size_t most_bytes = 0)
      : model_(pe_open_memory_within(file.data(), file.size(), most_bytes)) {
    check(model_ != nullptr);
  }

  /// Runs it on pixels red green blue, width x height without gaps.
  void run(std::span<const uint8_t> rgb, int width, int height) {
    check(pe_set_image_n(get(), 0, rgb.data(), rgb.size(), width, height, 3 * static_cast<size_t>(width),
                         3) == 0);
    check(pe_run(get()) == 0);
  }
  /// Runs it on the planes of its input.
  void run(std::span<const float> planes) {
    check(pe_set_input(get(), 0, planes.data(), planes.size()) == 0);
    check(pe_run(get()) == 0);
  }
  int output_named(const char* name) const {
    const int index = pe_find_output(get(), name);
    check(index >= 0);
    return index;
  }
  /// Stays as it is until the next run.
  std::span<const float> output(int index) const {
    pe_port port;
    check(pe_describe_output(get(), index, &port) == 0);
    return {pe_output(get(), index), static_cast<size_t>(port.channels) * static_cast<size_t>(port.height) *
                                         static_cast<size_t>(port.width)};
  }
  /// The names of an output's classes; none where the file has none.
  std::vector<std::string> labels(int index) const {
    const int32_t count = pe_labels(get(), index);
    check(count >= 0);
    std::vector<std::string> all;
    for (int32_t i = 0; i < count; ++i) all.emplace_back(pe_label(get(), index, i));
    return all;
  }
  /// How probable each class of an output is: the softmax of its logits.
  std::vector<float> probabilities(int index) const {
    std::vector<float> all(output(index).size());
    check(pe_read_probabilities(get(), index, all.data(), all.size()) == 0);
    return all;
  }
  pe_model* get() const { return model_.get(); }

 private:
  struct Close {
    void operator()(pe_model* m) const { pe_close(m); }
  };
  std::unique_ptr<pe_model, Close> model_;
};

/// SINet: an image to its matte.
class Matte {
 public:
  explicit Matte(const std::string& path, Access access = Access::kRead, size_t most_bytes = 0)
      : network_(path, access, most_bytes) {}

  /// Pixels as Network::run() takes them, to alpha of the same size.
  void operator()(std::span<const uint8_t> rgb, int width, int height, std::span<uint8_t> alpha) {
    network_.run(rgb, width, height);
    check(pe_read_matte_n(get(), 0, alpha.data(), alpha.size(), width, height, static_cast<size_t>(width)) ==
          0);
  }
  pe_model* get() { return network_.get(); }

 private:
  Network network_;
};

/// Classes learned on the device, saved in a file.
class Classes {
 public:
  /// `output` of the network gives the features.
  Classes(const std::string& path, const Network& network, int output, size_t most_bytes = 0)
      : classes_(pe_classes_open(c_string(path), network.get(), output, most_bytes)) {
    check(classes_ != nullptr);
  }
  void learn(const std::string& name, std::span<const float> features) {
    check(pe_classes_learn_n(get(), c_string(name), features.data(), features.size()) == 0);
  }
  void forget(const std::string& name) { check(pe_classes_forget(get(), c_string(name)) == 0); }
  void save() const { check(pe_classes_save(get()) == 0); }
  /// The cosine to each class.
  std::vector<float> similarities(std::span<const float> features) const {
    std::vector<float> all(static_cast<size_t>(size()));
    check(pe_classes_predict_n(get(), features.data(), features.size(), all.data(), all.size()) >= 0);
    return all;
  }
  int size() const { return pe_classes_count(get()); }
  std::string name(int index) const {
    const char* name = pe_classes_name(get(), index);
    check(name != nullptr);
    return name;
  }
  int64_t examples(int index) const { return pe_classes_examples(get(), index); }
  pe_classes* get() const { return classes_.get(); }

 private:
  struct Close {
    void operator()(pe_classes* c) const { pe_classes_close(c); }
  };
  std::unique_ptr<pe_classes, Close> classes_;
};

}  // namespace perennial::edge

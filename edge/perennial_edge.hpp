#pragma once

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

/// A network of one image input.
class Network {
 public:
  explicit Network(const std::string& path) : model_(pe_open(path.c_str())) { check(model_ != nullptr); }

  /// Runs it on pixels red green blue, width x height without gaps.
  void run(std::span<const uint8_t> rgb, int width, int height) {
    const size_t pixels = static_cast<size_t>(width) * static_cast<size_t>(height);
    if (rgb.size() < 3 * pixels) throw std::runtime_error("a buffer smaller than its image");
    check(pe_set_image(get(), 0, rgb.data(), width, height, 3 * static_cast<size_t>(width), 3) == 0);
    check(pe_run(get()) == 0);
  }
  int output_named(const char* name) const {
    const int index = pe_find_output(get(), name);
    check(index >= 0);
    return index;
  }
  std::span<const float> output(int index) const {
    pe_port port;
    check(pe_describe_output(get(), index, &port) == 0);
    return {pe_output(get(), index), static_cast<size_t>(port.channels) * static_cast<size_t>(port.height) *
                                         static_cast<size_t>(port.width)};
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
  explicit Matte(const std::string& path) : network_(path) {}

  /// Pixels as Network::run() takes them, to alpha of the same size.
  void operator()(std::span<const uint8_t> rgb, int width, int height, std::span<uint8_t> alpha) {
    if (alpha.size() < static_cast<size_t>(width) * static_cast<size_t>(height))
      throw std::runtime_error("a buffer smaller than its image");
    network_.run(rgb, width, height);
    check(pe_read_matte(get(), 0, alpha.data(), width, height, static_cast<size_t>(width)) == 0);
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
      : classes_(pe_classes_open(path.c_str(), network.get(), output, most_bytes)) {
    check(classes_ != nullptr);
  }
  void learn(const std::string& name, std::span<const float> features) {
    check(pe_classes_learn(get(), name.c_str(), features.data()) == 0);
  }
  void forget(const std::string& name) { check(pe_classes_forget(get(), name.c_str()) == 0); }
  void save() const { check(pe_classes_save(get()) == 0); }
  /// The cosine to each class.
  std::vector<float> similarities(std::span<const float> features) const {
    std::vector<float> all(static_cast<size_t>(size()));
    check(pe_classes_predict(get(), features.data(), all.data()) >= 0);
    return all;
  }
  int size() const { return pe_classes_count(get()); }
  std::string name(int index) const { return pe_classes_name(get(), index); }
  int64_t examples(int index) const { return pe_classes_examples(get(), index); }
  pe_classes* get() const { return classes_.get(); }

 private:
  struct Close {
    void operator()(pe_classes* c) const { pe_classes_close(c); }
  };
  std::unique_ptr<pe_classes, Close> classes_;
};

}  // namespace perennial::edge

#include <algorithm>
#include <cmath>
#include <string>

#include "edge/api.h"

using namespace perennial::edge;

int32_t pe_is_logits(const pe_model* model, int32_t output) {
  return guarded<int32_t>(-1,
                          [&] { return (port_of(model, true, output).flags & kClassScores) != 0 ? 1 : 0; });
}

int32_t pe_labels(const pe_model* model, int32_t output) {
  return guarded<int32_t>(-1, [&] {
    const PortRecord& port = port_of(model, true, output);
    return static_cast<int32_t>(model->engine.model().labels(port));
  });
}

const char* pe_label(const pe_model* model, int32_t output, int32_t index) {
  return guarded<const char*>(nullptr, [&] {
    const PortRecord& port = port_of(model, true, output);
    require(index >= 0, "no such label");
    return model->engine.model().label(port, static_cast<size_t>(index));
  });
}

int pe_read_probabilities(const pe_model* model, int32_t output, float* probabilities, size_t count) {
  return guarded(-1, [&] {
    const PortRecord& port = port_of(model, true, output);
    require(probabilities != nullptr, "nowhere to write");
    const TensorRecord& t = model->engine.model().tensors()[port.tensor];
    require(t.height == 1 && t.width == 1, "probabilities of planes");
    const auto logits = model->engine.output(static_cast<size_t>(output));
    if (count != logits.size())
      throw std::invalid_argument("expected " + std::to_string(logits.size()) + " numbers, found " +
                                  std::to_string(count));
    const float most = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (const float v : logits) sum += std::exp(static_cast<double>(v) - most);
    std::transform(logits.begin(), logits.end(), probabilities, [&](float v) {
      return static_cast<float>(std::exp(static_cast<double>(v) - most) / sum);
    });
    return 0;
  });
}

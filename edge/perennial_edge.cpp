#include "edge/perennial_edge.h"

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "edge/api.h"

using namespace perennial::edge;

namespace {

char* error_text() {
  thread_local char text[512] = "";
  return text;
}

int describe(const pe_model* model, bool is_output, int32_t index, pe_port* port) {
  return guarded(-1, [&] {
    require(port != nullptr, "nowhere to write");
    const PortRecord& p = port_of(model, is_output, index);
    const TensorRecord& t = model->engine.model().tensors()[p.tensor];
    *port = {model->engine.model().name(p.name), static_cast<int32_t>(t.channels),
             static_cast<int32_t>(t.height), static_cast<int32_t>(t.width), p.divisor != 0 ? 1 : 0};
    return 0;
  });
}

int32_t count(const pe_model* model, bool outputs) {
  int32_t n = 0;
  if (model != nullptr)
    for (const PortRecord& p : model->engine.model().ports()) n += (p.is_output != 0) == outputs ? 1 : 0;
  return n;
}

Pixels checked(const uint8_t* pixels, int32_t width, int32_t height, size_t row_bytes, int32_t pixel_bytes) {
  require(pixels != nullptr && width >= 1 && height >= 1, "an image without pixels");
  require(width <= 1 << 15 && height <= 1 << 15, "an image of more than 32768 pixels a side");
  require(pixel_bytes == 3 || pixel_bytes == 4, "expected 3 or 4 bytes a pixel");
  require(row_bytes >= static_cast<size_t>(width) * static_cast<size_t>(pixel_bytes), "rows that overlap");
  return {pixels, width, height, row_bytes, pixel_bytes};
}

// The last class's probability of each pixel.
void softmax_last(std::span<const float> scores, size_t classes, std::vector<float>& out) {
  const size_t pixels = scores.size() / classes;
  out.resize(pixels);
  const float* last = scores.data() + (classes - 1) * pixels;
  for (size_t p = 0; p < pixels; ++p) {
    float sum = classes == 1 ? std::exp(-last[p]) : 0.0F;
    for (size_t c = 0; c + 1 < classes; ++c) sum += std::exp(scores[c * pixels + p] - last[p]);
    out[p] = 1.0F / (1.0F + sum);
  }
}

}  // namespace

void perennial::edge::say(const char* what) noexcept {
  std::strncpy(error_text(), what, 511);
  error_text()[511] = '\0';
}

const char* pe_version(void) { return PERENNIAL_EDGE_VERSION; }
const char* pe_error(void) { return error_text(); }

pe_model* pe_open(const char* path) {
  return guarded<pe_model*>(nullptr, [&] {
    require(path != nullptr, "no path");
    return new pe_model(Model::from_file(path));
  });
}

pe_model* pe_open_memory(const void* bytes, size_t size) {
  return guarded<pe_model*>(nullptr, [&] {
    require(bytes != nullptr, "no memory");
    return new pe_model(Model::from_memory({static_cast<const std::byte*>(bytes), size}));
  });
}

void pe_close(pe_model* model) { delete model; }
int32_t pe_inputs(const pe_model* model) { return count(model, false); }
int32_t pe_outputs(const pe_model* model) { return count(model, true); }
int pe_describe_input(const pe_model* m, int32_t index, pe_port* port) {
  return describe(m, false, index, port);
}
int pe_describe_output(const pe_model* m, int32_t index, pe_port* port) {
  return describe(m, true, index, port);
}

int32_t pe_find_output(const pe_model* model, const char* name) {
  return guarded<int32_t>(-1, [&] {
    require(model != nullptr && name != nullptr, "no model or no name");
    for (int32_t i = 0; i < count(model, true); ++i)
      if (std::strcmp(model->engine.model().name(port_of(model, true, i).name), name) == 0) return i;
    throw std::invalid_argument("the model has no output " + std::string(name));
  });
}

float* pe_input(pe_model* model, int32_t index) {
  return guarded<float*>(nullptr, [&] {
    port_of(model, false, index);
    return model->engine.input(static_cast<size_t>(index)).data();
  });
}

const float* pe_output(const pe_model* model, int32_t index) {
  return guarded<const float*>(nullptr, [&] {
    port_of(model, true, index);
    return model->engine.output(static_cast<size_t>(index)).data();
  });
}

int pe_run(pe_model* model) {
  return guarded(-1, [&] {
    require(model != nullptr, "no model");
    model->engine.run();
    return 0;
  });
}

int pe_set_threads(pe_model* model, int32_t threads) {
  return guarded(-1, [&] {
    require(model != nullptr, "no model");
    require(threads >= 1, "expected 1 to 64 threads");
    model->engine.set_threads(static_cast<size_t>(threads));
    return 0;
  });
}

int pe_set_image(pe_model* model, int32_t index, const uint8_t* pixels, int32_t width, int32_t height,
                 size_t row_bytes, int32_t pixel_bytes) {
  return guarded(-1, [&] {
    const PortRecord& p = port_of(model, false, index);
    require(p.divisor != 0, "this input is no image");
    const Pixels image = checked(pixels, width, height, row_bytes, pixel_bytes);
    const TensorRecord& t = model->engine.model().tensors()[p.tensor];
    model->resizer.to_planes(image, p, static_cast<int32_t>(t.width), static_cast<int32_t>(t.height),
                             model->engine.input(static_cast<size_t>(index)).data());
    return 0;
  });
}

int pe_read_matte(pe_model* model, int32_t index, uint8_t* alpha, int32_t width, int32_t height,
                  size_t row_bytes) {
  return guarded(-1, [&] {
    const PortRecord& p = port_of(model, true, index);
    require(alpha != nullptr && width >= 1 && height >= 1 && width <= 1 << 15 && height <= 1 << 15,
            "an image without pixels");
    require(row_bytes >= static_cast<size_t>(width), "rows that overlap");
    const TensorRecord& t = model->engine.model().tensors()[p.tensor];
    softmax_last(model->engine.output(static_cast<size_t>(index)), t.channels, model->matte);
    model->resizer.to_bytes(model->matte.data(), static_cast<int32_t>(t.width),
                            static_cast<int32_t>(t.height), alpha, width, height, row_bytes);
    return 0;
  });
}

int pe_read_matte_refined(pe_model* model, int32_t index, const uint8_t* pixels, int32_t width,
                          int32_t height, size_t pixel_row_bytes, int32_t pixel_bytes, uint8_t* alpha,
                          size_t row_bytes) {
  return guarded(-1, [&] {
    const PortRecord& p = port_of(model, true, index);
    const Pixels image = checked(pixels, width, height, pixel_row_bytes, pixel_bytes);
    require(alpha != nullptr && row_bytes >= static_cast<size_t>(width), "rows that overlap");
    const TensorRecord& t = model->engine.model().tensors()[p.tensor];
    softmax_last(model->engine.output(static_cast<size_t>(index)), t.channels, model->matte);
    model->refiner.refine(model->matte.data(), static_cast<int32_t>(t.width), static_cast<int32_t>(t.height),
                          image, alpha, row_bytes);
    return 0;
  });
}

size_t pe_memory_bytes(const pe_model* model) { return model == nullptr ? 0 : model->engine.arena_bytes(); }

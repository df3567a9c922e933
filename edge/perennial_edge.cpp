#include "edge/perennial_edge.h"

#include <cstring>
#include <string>

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

uint64_t limit(size_t most_bytes) { return most_bytes == 0 ? kMostBytes : most_bytes; }

pe_model* open_file(const char* path, Model::Access access, size_t most_bytes) {
  return guarded<pe_model*>(nullptr, [&] {
    require(path != nullptr, "no path");
    const uint64_t most = limit(most_bytes);
    return new pe_model(Model::from_file(path, access, most), most);
  });
}

void require_count(size_t found, size_t expected) {
  if (found != expected)
    throw std::invalid_argument("expected " + std::to_string(expected) + " numbers, found " +
                                std::to_string(found));
}

}  // namespace

void perennial::edge::say(const char* what) noexcept {
  std::strncpy(error_text(), what, 511);
  error_text()[511] = '\0';
}

const char* pe_version(void) { return PERENNIAL_EDGE_VERSION; }
const char* pe_error(void) { return error_text(); }

pe_model* pe_open(const char* path) { return open_file(path, Model::Access::kRead, 0); }
pe_model* pe_open_within(const char* path, size_t most_bytes) {
  return open_file(path, Model::Access::kRead, most_bytes);
}
pe_model* pe_open_mapped(const char* path, size_t most_bytes) {
  return open_file(path, Model::Access::kMap, most_bytes);
}

pe_model* pe_open_memory(const void* bytes, size_t size) { return pe_open_memory_within(bytes, size, 0); }
pe_model* pe_open_memory_within(const void* bytes, size_t size, size_t most_bytes) {
  return guarded<pe_model*>(nullptr, [&] {
    require(bytes != nullptr, "no memory");
    const uint64_t most = limit(most_bytes);
    return new pe_model(Model::from_memory({static_cast<const std::byte*>(bytes), size}, "memory", most),
                        most);
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

int pe_set_input(pe_model* model, int32_t index, const float* planes, size_t count) {
  return guarded(-1, [&] {
    port_of(model, false, index);
    require(planes != nullptr, "no numbers");
    const auto to = model->engine.input(static_cast<size_t>(index));
    require_count(count, to.size());
    std::memmove(to.data(), planes, count * sizeof(float));
    return 0;
  });
}

int pe_get_output(const pe_model* model, int32_t index, float* planes, size_t count) {
  return guarded(-1, [&] {
    port_of(model, true, index);
    require(planes != nullptr, "nowhere to write");
    const auto from = model->engine.output(static_cast<size_t>(index));
    require_count(count, from.size());
    std::memmove(planes, from.data(), count * sizeof(float));
    return 0;
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

size_t pe_memory_bytes(const pe_model* model) {
  return model == nullptr ? 0 : model->engine.budget().taken();
}

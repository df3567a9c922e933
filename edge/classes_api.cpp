#include <cstring>
#include <string>

#include "edge/api.h"
#include "edge/files.h"
#include "edge/ncm.h"

using namespace perennial::edge;

struct pe_classes {
  std::string path;
  size_t features;
  ClassMeans means;
};

namespace {

constexpr size_t kMostOfClasses = size_t{16} << 20, kMostFeatures = 1 << 16;

size_t class_at(const pe_classes* classes, int32_t index) {
  require(classes != nullptr, "no classes");
  require(index >= 0 && static_cast<size_t>(index) < classes->means.size(), "no such class");
  return static_cast<size_t>(index);
}

void require_features(const pe_classes* classes, size_t found) {
  if (found != classes->features)
    throw std::invalid_argument("expected " + std::to_string(classes->features) + " features, found " +
                                std::to_string(found));
}

}  // namespace

pe_classes* pe_classes_open(const char* path, const pe_model* model, int32_t output, size_t most_bytes) {
  return guarded<pe_classes*>(nullptr, [&] {
    require(path != nullptr, "no path");
    require(model != nullptr && output >= 0, "no model, or no such output");
    const size_t features = model->engine.output(static_cast<size_t>(output)).size();
    require(features <= kMostFeatures, "an output of more than 65536 numbers");
    const ClassMeans::Source source{model->engine.model().checksum(), static_cast<uint32_t>(output),
                                    static_cast<uint32_t>(features)};
    const size_t most = most_bytes == 0 ? kMostOfClasses : most_bytes;
    const auto saved = read_if_there(path, most);
    return new pe_classes{
        path, features,
        saved ? ClassMeans::decode(saved->bytes, source, most, path) : ClassMeans(source, most)};
  });
}

void pe_classes_close(pe_classes* classes) { delete classes; }

int pe_classes_learn(pe_classes* classes, const char* name, const float* features) {
  return pe_classes_learn_n(classes, name, features, classes == nullptr ? 0 : classes->features);
}

int pe_classes_learn_n(pe_classes* classes, const char* name, const float* features, size_t count) {
  return guarded(-1, [&] {
    require(classes != nullptr && name != nullptr && features != nullptr,
            "no classes, no name or no features");
    require_features(classes, count);
    classes->means.learn(name, {features, count});
    return 0;
  });
}

int pe_classes_forget(pe_classes* classes, const char* name) {
  return guarded(-1, [&] {
    require(classes != nullptr && name != nullptr, "no classes or no name");
    if (!classes->means.forget(name)) throw std::invalid_argument("there is no class " + std::string(name));
    return 0;
  });
}

int32_t pe_classes_predict(const pe_classes* classes, const float* features, float* similarities) {
  return pe_classes_predict_n(classes, features, classes == nullptr ? 0 : classes->features, similarities,
                              classes == nullptr ? 0 : classes->means.size());
}

int32_t pe_classes_predict_n(const pe_classes* classes, const float* features, size_t count,
                             float* similarities, size_t most) {
  return guarded<int32_t>(-1, [&] {
    require(classes != nullptr && features != nullptr, "no classes or no features");
    require_features(classes, count);
    require(classes->means.size() > 0, "no class has been learned yet");
    const size_t into = similarities == nullptr ? 0 : classes->means.size();
    require(most >= into, "room for fewer similarities than there are classes");
    return static_cast<int32_t>(classes->means.nearest({features, count}, {similarities, into}));
  });
}

int32_t pe_classes_count(const pe_classes* classes) {
  return classes == nullptr ? 0 : static_cast<int32_t>(classes->means.size());
}

const char* pe_classes_name(const pe_classes* classes, int32_t index) {
  return guarded<const char*>(nullptr, [&] { return classes->means.name(class_at(classes, index)).c_str(); });
}

int64_t pe_classes_examples(const pe_classes* classes, int32_t index) {
  return guarded<int64_t>(
      -1, [&] { return static_cast<int64_t>(classes->means.examples(class_at(classes, index))); });
}

size_t pe_classes_bytes(const pe_classes* classes) {
  return classes == nullptr ? 0 : static_cast<size_t>(classes->means.bytes());
}

int pe_classes_save(const pe_classes* classes) {
  return guarded(-1, [&] {
    require(classes != nullptr, "no classes");
    write_atomically(classes->path, classes->means.encode());
    return 0;
  });
}

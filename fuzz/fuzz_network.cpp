#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "edge/compile/compile.h"
#include "edge/compile/description.h"
#include "edge/compile/listing.h"
#include "edge/engine.h"

namespace {

using namespace perennial::edge;

constexpr uint64_t kMostToRun = 1 << 20;

Weights some_weights() {
  Weights all;
  const auto add = [&](const std::string& name, std::vector<int64_t> shape) {
    size_t count = 1;
    for (const int64_t side : shape) count *= static_cast<size_t>(side);
    all[name] = {std::move(shape), std::vector<float>(count, 0.5F)};
  };
  add("a.weight", {4, 3, 3, 3});
  add("b.weight", {4, 4, 1, 1});
  add("c.weight", {2, 4}), add("c.bias", {2});
  add("d.weight", {4, 1, 3, 3});
  add("e.weight", {4, 2, 1, 1});
  add("f.weight", {1, 3, 3, 4}), add("g.weight", {6, 3, 3, 3}), add("g.bias", {6});  // of a listing
  for (const char* part : {"n.weight", "n.bias", "n.running_mean", "n.running_var"}) add(part, {4});
  return all;
}

}  // namespace

// A network as text, a description or a listing: a model that runs, or a complaint.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Weights weights = some_weights();
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const auto bytes = compile(text.starts_with("[") ? read_listing(text, weights, {}, 16)
                                                     : read_description(text, weights));
    Engine engine(Model::from_memory(bytes));
    if (engine.budget().taken() > kMostToRun) return 0;
    engine.fill_inputs(1);
    engine.run();
  } catch (const std::invalid_argument&) {
  } catch (const BadModel&) {  // planes of more than it may have
  }
  return 0;
}

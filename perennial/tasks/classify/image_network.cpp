#include "perennial/tasks/classify/image_network.h"

#include <charconv>
#include <stdexcept>

#include <fmt/format.h>

#include "edge/compile/description.h"
#include "edge/compile/listing.h"
#include "edge/nets/mobilenet.h"
#include "perennial/tasks/edge_model.h"

namespace perennial {
namespace {

constexpr int64_t kSide = 224, kMostSide = 4096;
// What the networks were trained with: (x / 255 - mean) / std, and 8 bits that stand for (q - 128) / 128.
constexpr edge::ImageInput kTorch{{123.675F, 116.28F, 103.53F}, {0.229F, 0.224F, 0.225F}, 255, false};
constexpr edge::ImageInput kTflite{{128, 128, 128}, {1, 1, 1}, 128, false};

std::string text_of(const TensorFile& weights, const std::string& key) {
  const auto found = weights.metadata.find(key);
  return found == weights.metadata.end() ? "" : found->second;
}

int64_t side_of(const TensorFile& weights, int64_t asked) {
  int64_t side = asked;
  const std::string input = text_of(weights, "input");
  if (side == 0 && std::from_chars(input.data(), input.data() + input.size(), side).ec != std::errc())
    side = kSide;
  if (side < 1 || side > kMostSide)
    throw std::invalid_argument(fmt::format("size: expected a side of 1 to 4096 pixels, found {}", side));
  return side;
}

}  // namespace

edge::Graph image_network(const TensorFile& weights, const ImageNetworkOptions& options) {
  const std::string listing = options.listing.empty() ? text_of(weights, "graph") : options.listing;
  const edge::Weights tensors = edge_weights(weights);
  const size_t begin = listing.starts_with("\xEF\xBB\xBF") ? 3 : 0;  // a byte-order mark
  if (const size_t first = listing.find_first_not_of(" \t\r\n", begin); first != std::string::npos) {
    if (listing[first] == '{')
      return edge::read_description(listing, tensors, static_cast<int>(options.side));
    return edge::read_listing(listing, tensors, kTflite, static_cast<int>(side_of(weights, options.side)));
  }
  if (tensors.contains("stage1.0.0.weight"))
    return edge::mobilenet_v1_025(edge::source_of(tensors), kTorch,
                                  static_cast<int>(side_of(weights, options.side)));
  throw std::invalid_argument(
      "weights of a network that is not known: expected MobileNetV1 x0.25 (stage1.0.0.weight, ...), a "
      "description of the network, or weights with one (\"graph\") in their metadata");
}

}  // namespace perennial

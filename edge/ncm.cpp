#include "edge/ncm.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <set>
#include <stdexcept>

namespace perennial::edge {
namespace {

constexpr char kMagicOfClasses[8] = {'P', 'R', 'N', 'L', 'N', 'C', 'M', '\0'};
constexpr uint32_t kVersionOfClasses = 1;
constexpr size_t kLongestName = 255;

/// The file: this, then for each class its number of examples (uint64) and its sum (float32[features]), then
/// the names, each ended by a zero. The checksum lies where a model's does: seal() is the same.
struct Head {
  char magic[8];
  uint32_t version, output, features, classes;
  uint64_t name_bytes, model, reserved, checksum;
};
static_assert(sizeof(Head) == sizeof(Header) && offsetof(Head, checksum) == offsetof(Header, checksum));

void require(bool good, const char* what) {
  if (!good) throw std::invalid_argument(what);
}

// 1 / length; refuses what has no direction.
double inverse_length(std::span<const float> features) {
  double squares = 0;
  for (const float v : features) squares += double{v} * v;
  require(std::isfinite(squares) && squares > 0, "features that are all zero, or no numbers");
  return 1 / std::sqrt(squares);
}

}  // namespace

ClassMeans::ClassMeans(const Source& source, uint64_t most_bytes)
    : source_(source), most_bytes_(most_bytes), bytes_(sizeof(Head)) {}

uint64_t ClassMeans::bytes_of(const std::string& name) const {
  return sizeof(uint64_t) + source_.features * sizeof(float) + name.size() + 1;
}

void ClassMeans::learn(const std::string& name, std::span<const float> features) {
  require(!name.empty() && name.size() <= kLongestName && name.find('\0') == std::string::npos,
          "a class name of 1 to 255 bytes was expected");
  require(features.size() == source_.features, "features of another model");
  const double by = inverse_length(features);
  auto found = std::find_if(classes_.begin(), classes_.end(), [&](const Class& c) { return c.name == name; });
  if (found == classes_.end()) {
    if (bytes_ + bytes_of(name) > most_bytes_)
      throw std::invalid_argument("no room for class " + name + ": " + std::to_string(classes_.size()) +
                                  " classes take " + std::to_string(bytes_) + " of " +
                                  std::to_string(most_bytes_) + " bytes");
    classes_.push_back({name, 0, std::vector<float>(features.size())});
    found = classes_.end() - 1;
    bytes_ += bytes_of(name);
  }
  ++found->examples;
  for (size_t i = 0; i < features.size(); ++i) found->sum[i] += static_cast<float>(features[i] * by);
}

bool ClassMeans::forget(const std::string& name) {
  const auto found =
      std::find_if(classes_.begin(), classes_.end(), [&](const Class& c) { return c.name == name; });
  if (found == classes_.end()) return false;
  bytes_ -= bytes_of(name);
  classes_.erase(found);
  return true;
}

size_t ClassMeans::nearest(std::span<const float> features, std::span<float> similarities) const {
  require(features.size() == source_.features, "features of another model");
  const double by = inverse_length(features);
  size_t best = classes_.size();
  double most = -2;
  for (size_t c = 0; c < classes_.size(); ++c) {
    double dot = 0, squares = 1e-30;  // examples that cancel out are like nothing
    for (size_t i = 0; i < features.size(); ++i) {
      const double sum = classes_[c].sum[i];
      dot += sum * features[i], squares += sum * sum;
    }
    const double cosine = dot * by / std::sqrt(squares);
    if (cosine > most) most = cosine, best = c;
    if (!similarities.empty()) similarities[c] = static_cast<float>(cosine);
  }
  return best;
}

std::vector<std::byte> ClassMeans::encode() const {
  Head h{};
  std::memcpy(h.magic, kMagicOfClasses, sizeof h.magic);
  h.version = kVersionOfClasses, h.output = source_.output, h.features = source_.features;
  h.classes = static_cast<uint32_t>(classes_.size()), h.model = source_.model;
  for (const Class& c : classes_) h.name_bytes += c.name.size() + 1;
  std::vector<std::byte> out(bytes_);
  std::byte* at = out.data() + sizeof h;
  const auto append = [&at](const void* data, size_t count) { std::memcpy(at, data, count), at += count; };
  for (const Class& c : classes_) {
    append(&c.examples, sizeof c.examples);
    append(c.sum.data(), c.sum.size() * sizeof(float));
  }
  for (const Class& c : classes_) append(c.name.c_str(), c.name.size() + 1);
  std::memcpy(out.data(), &h, sizeof h);
  h.checksum = seal(out.data(), out.size());
  std::memcpy(out.data(), &h, sizeof h);
  return out;
}

ClassMeans ClassMeans::decode(std::span<const std::byte> bytes, const Source& source, uint64_t most_bytes,
                              const std::string& name) {
  const auto refuse = [&](const std::string& expected) { throw BadModel(name + ": expected " + expected); };
  const auto expect = [&](bool good, const char* what) {
    if (!good) refuse(what);
  };
  Head h{};
  if (bytes.size() < sizeof h)
    refuse("learned classes, found a file of " + std::to_string(bytes.size()) + " bytes");
  if (bytes.size() > most_bytes)
    refuse("at most " + std::to_string(most_bytes) + " bytes, found " + std::to_string(bytes.size()));
  std::memcpy(&h, bytes.data(), sizeof h);
  expect(std::memcmp(h.magic, kMagicOfClasses, sizeof h.magic) == 0,
         "learned classes, found another kind of file");
  if (h.version != kVersionOfClasses)
    refuse("version " + std::to_string(kVersionOfClasses) + ", found " + std::to_string(h.version));
  expect(seal(bytes.data(), bytes.size()) == h.checksum, "a fitting checksum: the file is damaged");
  expect(h.model == source.model && h.output == source.output && h.features == source.features,
         "classes learned with this model, found another's");
  const uint64_t each = sizeof(uint64_t) + uint64_t{h.features} * sizeof(float);
  const uint64_t left = bytes.size() - sizeof h;
  expect(h.name_bytes <= left && h.classes <= left / each && h.classes * each == left - h.name_bytes,
         "as many bytes as its header says");
  ClassMeans out(source, most_bytes);
  const std::byte* at = bytes.data() + sizeof h;
  const auto* names = reinterpret_cast<const char*>(at + h.classes * each);
  const char* const end = names + h.name_bytes;
  std::set<std::string> known;
  for (uint32_t c = 0; c < h.classes; ++c, at += each) {
    const char* const stop = std::find(names, end, '\0');
    expect(stop != end, "a name for each class");
    Class own{std::string(names, stop), 0, std::vector<float>(h.features)};
    names = stop + 1;
    std::memcpy(&own.examples, at, sizeof own.examples);
    std::memcpy(own.sum.data(), at + sizeof own.examples, own.sum.size() * sizeof(float));
    expect(!own.name.empty() && own.name.size() <= kLongestName && known.insert(own.name).second,
           "names that differ, of 1 to 255 bytes");
    expect(own.examples >= 1 &&
               std::all_of(own.sum.begin(), own.sum.end(), [](float v) { return std::isfinite(v); }),
           "examples in each class");
    out.bytes_ += out.bytes_of(own.name);
    out.classes_.push_back(std::move(own));
  }
  expect(names == end, "no name beyond the classes'");
  return out;
}

}  // namespace perennial::edge

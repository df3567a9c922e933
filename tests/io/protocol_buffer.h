#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "perennial/base/bytes.h"

namespace perennial {

/// An independent reading of a protocol buffer: field number -> raw values in order.
struct Message {
  std::multimap<uint64_t, std::string> fields;

  explicit Message(std::string_view in) {
    while (!in.empty()) {
      const uint64_t key = varint(in);
      const uint64_t wire = key & 7;
      const size_t length = wire == 1 ? 8 : wire == 5 ? 4 : wire == 2 ? varint(in) : 0;
      if (wire == 0) {
        const uint64_t value = varint(in);
        fields.emplace(key >> 3, std::string(reinterpret_cast<const char*>(&value), 8));
        continue;
      }
      if (length > in.size()) throw std::runtime_error("field longer than message");
      fields.emplace(key >> 3, in.substr(0, length));
      in.remove_prefix(length);
    }
  }

  static uint64_t varint(std::string_view& in) {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (in.empty()) throw std::runtime_error("half a varint");
      const auto byte = static_cast<unsigned char>(in[0]);
      in.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    throw std::runtime_error("endless varint");
  }

  bool has(uint64_t field) const { return fields.count(field) == 1; }
  std::string bytes(uint64_t field) const { return has(field) ? fields.find(field)->second : "(missing)"; }
  Message message(uint64_t field) const { return Message(bytes(field)); }
  template <class T>
  T as(uint64_t field) const {
    const std::string raw = bytes(field);
    EXPECT_GE(raw.size(), sizeof(T)) << "field " << field;
    return raw.size() < sizeof(T) ? T{} : load_le<T>(raw.data());
  }
};

}  // namespace perennial

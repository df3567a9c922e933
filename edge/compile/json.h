#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <nlohmann/json.hpp>

namespace perennial::edge {

/// A text that read_json() does not take.
struct BadJson : std::invalid_argument {
  BadJson(const std::string& what_was_expected, const std::string& what_was_found)
      : std::invalid_argument("expected " + what_was_expected + ", found " + what_was_found),
        expected(what_was_expected),
        found(what_was_found) {}
  std::string expected, found;
};

namespace detail {

/// Looks at the events of a parser and keeps nothing but the keys of the objects that are open.
class StrictJson : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit StrictJson(size_t deepest) : deepest_(deepest) {}
  bool start_object(size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool start_array(size_t) override { return open(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (!keys_.back().insert(name).second) throw BadJson("each name once", "'" + name + "' twice");
    return true;
  }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool parse_error(size_t, const std::string&, const nlohmann::json::exception& e) override {
    throw BadJson("JSON", e.what());
  }

 private:
  bool open() {
    if (keys_.size() == deepest_)
      throw BadJson("JSON nested at most " + std::to_string(deepest_) + " deep", "more");
    keys_.emplace_back();
    return true;
  }
  bool close() { return keys_.pop_back(), true; }

  size_t deepest_;
  std::vector<std::unordered_set<std::string>> keys_;
};

}  // namespace detail

/// JSON from somebody else: nested at most `deepest` deep, and no object has a key twice (of which the parser
/// alone keeps the last). Throws BadJson. Time and memory are in proportion to the text; the parser's own
/// callback looks through all that an object holds whenever something in it ends.
inline nlohmann::json read_json(std::string_view text, size_t deepest) {
  detail::StrictJson strict(deepest);
  nlohmann::json::sax_parse(text.begin(), text.end(), &strict);
  return nlohmann::json::parse(text);
}

}  // namespace perennial::edge

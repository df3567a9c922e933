#include "perennial/data/stream_kind.h"

#include <stdexcept>

#include <fmt/format.h>

#include "perennial/base/text.h"

namespace perennial {
namespace {

[[noreturn]] void refuse(std::string_view what, std::string_view expected, std::string_view found) {
  throw std::invalid_argument(fmt::format("{}: expected {}, found '{}'", what, expected, found));
}

int64_t per_cent(std::string_view digits, std::string_view whole) {
  const int64_t value = parse_int(digits, fmt::format("stream '{}'", whole));
  if (value < 0 || value > 100) refuse("stream", "a percentage from 0 to 100", whole);
  return value;
}

/// The text after `prefix`, trimmed of nothing; false when `text` does not begin with it.
bool after(std::string_view text, std::string_view prefix, std::string_view& rest) {
  if (!text.starts_with(prefix)) return false;
  rest = text.substr(prefix.size());
  return true;
}

StreamKind parse_iblurry(std::string_view rest, std::string_view whole) {
  const auto dash = rest.find('-');
  if (dash == std::string_view::npos) refuse("stream", "iblurry-N-M, such as iblurry-50-10", whole);
  return {StreamKind::Form::kBlurry,
          per_cent(rest.substr(0, dash), whole),
          per_cent(rest.substr(dash + 1), whole),
          true,
          {}};
}

}  // namespace

StreamKind StreamKind::parse(std::string_view text) {
  std::string_view rest;
  if (text == "disjoint") return {Form::kDisjoint, 100, 0, false, {}};
  if (text == "shuffled") return {Form::kShuffled, 0, 0, false, {}};
  if (text == "recurring") return {Form::kRecurring, 0, 0, false, {}};
  if (after(text, "iblurry-", rest)) return parse_iblurry(rest, text);
  if (after(text, "blurry", rest)) return {Form::kBlurry, 0, per_cent(rest, text), false, {}};
  if (after(text, "splits:", rest)) {
    if (rest.empty()) refuse("stream", "splits:DIR", text);
    return {Form::kSplits, 0, 0, false, std::string(rest)};
  }
  throw std::invalid_argument(
      fmt::format("unknown stream '{}'{}", text,
                  suggestion(text, {"disjoint", "blurry10", "blurry30", "iblurry-50-10", "shuffled",
                                    "recurring", "splits:DIR"})));
}

NoiseKind NoiseKind::parse(std::string_view text) {
  std::string_view rest;
  if (text.empty() || text == "none") return {};
  if (after(text, "file:", rest)) {
    if (rest.empty()) refuse("noise", "file:F", text);
    return {Form::kFile, 0, std::string(rest)};
  }
  const bool symmetric = after(text, "sym:", rest);
  if (!symmetric && !after(text, "asym:", rest)) refuse("noise", "none, sym:R, asym:R or file:F", text);
  const double rate = parse_number(rest, "noise rate");
  if (rate < 0 || rate > 1) refuse("noise", "a rate from 0 to 1, such as sym:0.4", text);
  return {symmetric ? Form::kSymmetric : Form::kAsymmetric, rate, {}};
}

}  // namespace perennial

#include "perennial/report/html.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>

#include <fmt/format.h>

#include "perennial/base/bytes.h"
#include "perennial/base/utf8.h"
#include "perennial/report/style.h"

namespace perennial::report {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kDash = "–";

/// Length of the valid UTF-8 sequence at the front of `s` that is no control character, or 0.
size_t utf8_length(std::string_view s) {
  const auto [code, length] = utf8_front(s);
  const bool control = code < 0xA0 || (code >= 0x200E && code <= 0x200F) ||
                       (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
  return control ? 0 : length;
}

/// OKLCH (Ottosson 2020) to "#rrggbb", clipped to sRGB; hue in degrees.
std::string oklch(double lightness, double chroma, double hue) {
  const double a = chroma * std::cos(hue * std::numbers::pi / 180);
  const double b = chroma * std::sin(hue * std::numbers::pi / 180);
  const auto cube = [](double v) { return v * v * v; };
  const double l = cube(lightness + 0.3963377774 * a + 0.2158037573 * b);
  const double m = cube(lightness - 0.1055613458 * a - 0.0638541728 * b);
  const double s = cube(lightness - 0.0894841775 * a - 1.2914855480 * b);
  const auto channel = [](double linear) {
    const double v = std::clamp(linear, 0.0, 1.0);
    const double srgb = v <= 0.0031308 ? 12.92 * v : 1.055 * std::pow(v, 1 / 2.4) - 0.055;
    return static_cast<int>(std::lround(255 * srgb));
  };
  return fmt::format("#{:02x}{:02x}{:02x}", channel(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
                     channel(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
                     channel(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s));
}

/// Hues far apart and told apart by lightness too, so that they survive print and colour blindness.
std::string distinct_colour(int64_t i, int64_t count, bool dark) {
  struct Hue {
    double hue, lightness, chroma;
  };
  static constexpr std::array<Hue, 8> kFirst{{{160, 0.50, 0.105},
                                              {45, 0.64, 0.160},
                                              {262, 0.52, 0.150},
                                              {88, 0.76, 0.140},
                                              {345, 0.58, 0.170},
                                              {215, 0.68, 0.110},
                                              {305, 0.44, 0.150},
                                              {125, 0.70, 0.140}}};
  const double lift = dark ? 0.14 : 0;
  if (count <= static_cast<int64_t>(kFirst.size())) {
    const Hue& c = kFirst[static_cast<size_t>(i)];
    return oklch(std::min(0.85, c.lightness + lift), c.chroma, c.hue);
  }
  // Neighbours in the list must be far apart in hue: walk around the circle in long steps that meet every
  // hue.
  int64_t stride = std::max<int64_t>(1, count * 382 / 1000);
  while (std::gcd(stride, count) != 1) ++stride;
  static constexpr std::array<double, 3> kLightness{0.50, 0.70, 0.60};
  const double hue = 155 + 360.0 * static_cast<double>(i * stride % count) / static_cast<double>(count);
  return oklch(kLightness[static_cast<size_t>(i % 3)] + lift * 0.7, 0.125, hue);
}

/// From early (indigo) over teal to late (amber).
std::string ordered_colour(int64_t i, int64_t count, bool dark) {
  const double at = count < 2 ? 0.5 : static_cast<double>(i) / static_cast<double>(count - 1);
  return oklch((dark ? 0.62 : 0.43) + 0.30 * at - (dark ? 0.06 * at : 0), 0.13, 285 - 215 * at);
}

}  // namespace

std::string clean_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text[0]);
    const bool plain = c >= 0x20 ? c < 0x7F : c == '\n' || c == '\t';
    const size_t length = plain ? 1 : c < 0x80 ? 0 : utf8_length(text);
    out += length == 0 ? kReplacement : text.substr(0, length);
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : clean_text(text)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string percent(double fraction, int digits) {
  return std::isfinite(fraction) ? fmt::format("{:.{}f}", 100 * fraction + 0.0, digits) : std::string(kDash);
}

std::string percent(std::optional<double> fraction, int digits) {
  return fraction ? percent(*fraction, digits) : std::string(kDash);
}

std::string grouped(std::optional<double> count) {
  if (!count || !std::isfinite(*count)) return std::string(kDash);
  const std::string digits = fmt::format("{:.0f}", *count);
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    const size_t left = digits.size() - i;
    if (i > 0 && left % 3 == 0 && digits[i - 1] != '-') out += ',';
    out += digits[i];
  }
  return out;
}

std::string bytes_text(std::optional<double> bytes) {
  return bytes ? format_bytes(static_cast<int64_t>(*bytes)) : std::string(kDash);
}

std::string duration(std::optional<double> seconds) {
  if (!seconds) return std::string(kDash);
  const double s = *seconds;
  if (s < 10) return fmt::format("{:.1f} s", s);
  if (s < 120) return fmt::format("{:.0f} s", s);
  const double minutes = std::floor(s / 60);
  if (minutes < 60) return fmt::format("{:.0f} min {:.0f} s", minutes, std::floor(s - 60 * minutes));
  return fmt::format("{:.0f} h {:.0f} min", std::floor(minutes / 60), std::fmod(minutes, 60));
}

std::string palette_css(std::string_view prefix, int64_t count, Palette palette) {
  const auto colour = palette == Palette::kDistinct ? distinct_colour : ordered_colour;
  const auto list = [&](bool dark) {
    std::string out = ":root{";
    for (int64_t i = 0; i < count; ++i) out += fmt::format("--{}{}:{};", prefix, i, colour(i, count, dark));
    return out + "}";
  };
  return list(false) + "\n@media screen and (prefers-color-scheme:dark){" + list(true) + "}\n";
}

std::string html_page(std::string_view title, std::string_view palettes, std::string_view body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<meta name=\"color-scheme\" content=\"light "
      "dark\"/>\n<title>{}</title>\n<style>\n{}{}</style>\n</head>\n"
      "<body>\n<main>\n{}</main>\n</body>\n</html>\n",
      escape_html(title), kStyle, palettes, body);
}

std::string fact(const std::string& value, const std::string& meaning) {
  return "<div><dt>" + meaning + "</dt><dd>" + value + "</dd></div>\n";
}

std::string html_section(std::string_view heading, std::string_view aid, std::string_view content) {
  return fmt::format(
      "<section>\n<div class=\"aid\"><h2>{}</h2>{}</div>\n<div class=\"body\">{}</div>\n</section>\n",
      escape_html(heading), aid, content);
}

}  // namespace perennial::report

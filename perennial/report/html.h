#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace perennial::report {

/// Valid UTF-8 without control characters (newline and tab stay): anything else becomes U+FFFD. For text of
/// unknown origin that goes to a page or a terminal.
std::string clean_text(std::string_view text);

/// clean_text, with & < > " ' as entities: safe in content and in quoted attributes.
std::string escape_html(std::string_view text);

/// 0.9224 -> "92.24" (points of a hundred); "–" when unknown.
std::string percent(std::optional<double> fraction, int digits = 2);
std::string percent(double fraction, int digits);

/// 50000 -> "50,000"; "–" when unknown.
std::string grouped(std::optional<double> count);

/// Bytes as "1.5 MiB"; "–" when unknown.
std::string bytes_text(std::optional<double> bytes);

/// 7384.2 -> "2 h 3 min", 3.14 -> "3.1 s"; "–" when unknown.
std::string duration(std::optional<double> seconds);

/// The colours of a set of series: CSS variables `--<prefix>0` ... for light and dark.
enum class Palette { kDistinct, kOrdered };
std::string palette_css(std::string_view prefix, int64_t count, Palette palette);

/// A whole page around `body`, self-contained; `palettes` is the output of palette_css.
std::string html_page(std::string_view title, std::string_view palettes, std::string_view body);

/// A figure of the headline with what it means (both HTML).
std::string fact(const std::string& value, const std::string& meaning);

/// A section: heading and reading aid beside the content (`aid` and `content` are HTML; `heading` is text).
std::string html_section(std::string_view heading, std::string_view aid, std::string_view content);

}  // namespace perennial::report

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace perennial {

/// Splits at `separator`, trims blanks, drops empty pieces.
std::vector<std::string> split(std::string_view text, char separator);

std::string trim(std::string_view text);

/// ASCII letters in lower case, all else as it is.
std::string lower(std::string_view text);

std::string join(const std::vector<std::string>& pieces, std::string_view separator);

/// The candidate nearest to `word` by edit distance, or "" when none is near enough to suggest.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// " (did you mean 'x'?)" or " (there are: a, b, c)", to end an error about an unknown name.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

/// Throws std::invalid_argument, with a suggestion, unless `value` is among `known`; `what` names the option.
void require_known(std::string_view what, const std::string& value, const std::vector<std::string>& known);

/// Exact whole-string parsing; `what` names the value in the std::invalid_argument thrown otherwise.
int64_t parse_int(std::string_view text, std::string_view what);
double parse_number(std::string_view text, std::string_view what);
bool parse_bool(std::string_view text, std::string_view what);

}  // namespace perennial

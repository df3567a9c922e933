#pragma once

#include <string>

namespace perennial {

/// A path named from the root, so that a run finds it from any working directory; an empty one stays empty.
/// std::invalid_argument, naming the option, when that is not UTF-8.
std::string path_from_root(const std::string& option, const std::string& path);

/// The same for the place in "kind:PLACE" (folder:DIR, csv:FILE, splits:DIR, file:F); what names no place
/// ("digits", "sym:0.4") stays as it is.
std::string source_from_root(const std::string& option, const std::string& source);

/// PATH of "kind:PATH", or nothing where `source` is of another kind.
std::string place_in(const std::string& source, const std::string& kind);

/// Where what `was` names ("splits:DIR") lies now. std::invalid_argument, naming the option, unless both name
/// a place by the same kind: everything else of the option is fixed by the run.
std::string moved_source(const std::string& option, const std::string& was, const std::string& now);

}  // namespace perennial

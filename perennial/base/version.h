#pragma once

namespace perennial {

/// "0.1.0".
const char* version();

/// The commit the library was built from, "5a7c5c3f02" or "5a7c5c3f02-dirty"; "" outside a clone.
const char* version_commit();

/// The libtorch the library was built against, "2.13.0".
const char* libtorch_version();

}  // namespace perennial

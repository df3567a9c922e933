#pragma once

#include <string>

namespace perennial::apps {

/// Opens /dev/null for each standard stream that came closed, so that no file of data gets its number, where
/// every stray message would land. Writing to standard output stays an error then.
void open_closed_streams();

/// Writes to standard error. What cannot be shown (a closed terminal, a full disk, a broken pipe) is left
/// unshown: the work goes on.
void tell(const std::string& text);

/// The exit status of a program that has printed its answer: `status`, or kFailed with a line on standard
/// error when a part of the answer did not arrive; `error` is the errno of a print that failed. As usual a
/// broken pipe ends the program by SIGPIPE; and nobody misses what a terminal that hung up no longer shows.
int delivered(int status, int error);

}  // namespace perennial::apps

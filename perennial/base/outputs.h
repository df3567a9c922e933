#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace perennial {

// What is checked of the files that a command is asked to write, before it writes any of them.

/// The ending of a file name in small letters, with its dot: ".jpg"; "" without one.
std::string ending_of(const std::filesystem::path& file);

/// A file to write must have one of these endings, in any case: std::invalid_argument names the option and
/// them. Devices and pipes (/dev/stdout) need none. Throws it for a folder, too.
void require_ending(const std::string& option, const std::filesystem::path& file,
                    const std::vector<std::string>& endings);

/// A file or folder to write must be none of `inputs`, by whatever name or link: std::invalid_argument names
/// the option.
void require_no_input(const std::string& option, const std::filesystem::path& output,
                      const std::vector<std::filesystem::path>& inputs);

/// A folder to write must not be inside `folder`, whose files are read, nor be it: what is written would be
/// read the next time. std::invalid_argument names the option.
void require_outside(const std::string& option, const std::filesystem::path& output,
                     const std::filesystem::path& folder);

/// A file that will be made of another.
struct Output {
  std::filesystem::path from, to;
};

/// Throws Error when two outputs are one file, or would be where small and capital letters are the same, or
/// when one is among what is read. `doing` is what is being done.
void require_apart(const std::string& doing, const std::vector<Output>& outputs);

/// A text from data becomes the name of one file or folder: not empty, not too long, no path, not hidden.
/// Otherwise Error; `what` is what has the name ("class").
void require_file_name(const std::string& doing, const std::string& what, const std::string& name);

}  // namespace perennial

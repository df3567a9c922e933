#include "perennial/base/outputs.h"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <sys/stat.h>
#include <utility>

#include <climits>
#include <fmt/format.h>

#include "perennial/base/error.h"
#include "perennial/base/text.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;

// Equal for two names of one file, and where two files would be one on a disk that knows no capital letters.
std::string place(const fs::path& file) {
  std::error_code failed;
  const fs::path whole = fs::weakly_canonical(fs::absolute(file, failed), failed);
  return lower((failed ? file : whole).lexically_normal().string());
}

using FileNumber = std::pair<dev_t, ino_t>;

bool number_of(const fs::path& file, FileNumber& number) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) return false;
  number = {status.st_dev, status.st_ino};
  return true;
}

}  // namespace

std::string ending_of(const fs::path& file) { return lower(file.extension().string()); }

void require_ending(const std::string& option, const fs::path& file,
                    const std::vector<std::string>& endings) {
  std::error_code failed;
  if (fs::is_other(file, failed)) return;
  if (fs::is_directory(file, failed))
    throw std::invalid_argument(
        fmt::format("{}: expected a file to write, found the folder {}", option, file.string()));
  if (std::find(endings.begin(), endings.end(), ending_of(file)) == endings.end())
    throw std::invalid_argument(fmt::format("{}: expected a file name that ends in {}, found '{}'", option,
                                            join(endings, ", "), file.string()));
}

void require_no_input(const std::string& option, const fs::path& output,
                      const std::vector<fs::path>& inputs) {
  FileNumber out, in;
  if (!number_of(output, out)) return;
  for (const fs::path& input : inputs)
    if (number_of(input, in) && in == out)
      throw std::invalid_argument(fmt::format("{}: {} is what is read ({}); name another place", option,
                                              output.string(), input.string()));
}

void require_outside(const std::string& option, const fs::path& output, const fs::path& folder) {
  FileNumber read, above;
  if (!number_of(folder, read)) return;
  std::error_code failed;
  const fs::path whole = fs::weakly_canonical(fs::absolute(output, failed), failed);
  for (fs::path at = failed ? fs::absolute(output, failed) : whole; at.has_relative_path();
       at = at.parent_path())
    if (number_of(at, above) && above == read)
      throw std::invalid_argument(fmt::format("{}: {} lies in {}, which is read; name a place outside it",
                                              option, output.string(), folder.string()));
}

void require_apart(const std::string& doing, const std::vector<Output>& outputs) {
  std::map<std::string, const Output*> places;
  for (const Output& output : outputs)
    if (const auto [at, fresh] = places.emplace(place(output.to), &output); !fresh)
      throw Error({doing, output.from.string(),
                   "a name of its own for what is written, " + output.to.string(),
                   "the same for " + at->second->from.string()});
  std::map<FileNumber, const Output*> inputs;
  FileNumber number;
  for (const Output& output : outputs)
    if (number_of(output.from, number)) inputs.emplace(number, &output);
  for (const Output& output : outputs)
    if (number_of(output.to, number) && inputs.contains(number))
      throw Error({doing, output.to.string(), "a place to write to that is not read",
                   inputs.at(number)->from.string()});
}

void require_file_name(const std::string& doing, const std::string& what, const std::string& name) {
  const auto refuse = [&](const std::string& found) {
    throw Error({doing, "", fmt::format("a {} that can name a file", what), found});
  };
  if (name.empty()) refuse("an empty one");
  if (name.find('\0') != std::string::npos)
    refuse("a zero byte in '" + name.substr(0, name.find('\0')) + "'");
  if (name.find('/') != std::string::npos) refuse("a path, '" + name + "'");
  if (name.starts_with('.')) refuse("'" + name + "', which begins with a dot");
  if (name.size() > NAME_MAX)
    refuse(fmt::format("one of {} bytes, '{}...'", name.size(), name.substr(0, 40)));
}

}  // namespace perennial

#pragma once

#include <stdexcept>
#include <string>

namespace perennial {

/// A bad file, bad data, full disk or dead server. A bad argument is std::invalid_argument instead.
/// The message is one line: what was being done, the path, what was expected and what was found.
class Error : public std::runtime_error {
 public:
  struct Context {
    std::string doing;     ///< "reading CIFAR-10"
    std::string path;      ///< the file, folder or address; may be empty
    std::string expected;  ///< "10000 records of 3073 bytes"; may be empty
    std::string found;     ///< "30729999 bytes"; may be empty
  };

  explicit Error(Context context);
  const Context& context() const { return context_; }

 private:
  Context context_;
};

}  // namespace perennial

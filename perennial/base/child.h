#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

namespace perennial {

/// Another program with a pipe to its standard input or from its standard output; no shell in between. It is
/// out of the terminal's reach (Ctrl-C is for whoever started it) and is killed when it has not been waited
/// for.
class Child {
 public:
  enum class Pipe { kRead, kWrite };
  /// Throws Error when the program is not there, with a hint at where it comes from.
  Child(const std::vector<std::string>& command, Pipe pipe, const std::string& hint = "install FFmpeg");
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  /// As many bytes as were asked for, or fewer at the end.
  size_t read(uint8_t* to, size_t size);
  /// False when the program reads no more: `finish` tells why.
  bool write(const void* from, size_t size);
  /// Asks the program to end (SIGTERM). From any thread, while another reads, and once finish() has begun
  /// without effect.
  void ask_to_end();
  /// Waits for the end. Returns the last line that the program wrote to standard error; throws Error with it
  /// when the program failed.
  std::string finish();

 private:
  std::string last_complaint() const;
  std::string name_;
  std::atomic<pid_t> pid_ = -1;
  int fd_ = -1, complaints_ = -1;
};

}  // namespace perennial

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

#include "perennial/tasks/background.h"

namespace perennial {

/// Another program with a pipe to its standard input or from its standard output; no shell in between.
class Child {
 public:
  enum class Pipe { kRead, kWrite };
  /// Throws Error when the program is not there.
  Child(const std::vector<std::string>& command, Pipe pipe);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  /// False at the end; Error for an end in the middle of `size` bytes.
  bool read(uint8_t* to, size_t size);
  void write(const uint8_t* from, size_t size);
  /// Waits for the end; throws Error when the program failed.
  void finish();

 private:
  std::string name_;
  pid_t pid_ = -1;
  int fd_ = -1;
};

struct VideoSize {
  int64_t width = 0, height = 0;
  std::string rate;    ///< "30000/1001"
  int64_t frames = 0;  ///< 0: unknown
};

/// Asks ffprobe. Throws Error when it is no video.
VideoSize video_size(const std::filesystem::path& path);

/// Frames of a video, by FFmpeg as a process.
class VideoReader {
 public:
  explicit VideoReader(const std::filesystem::path& path);
  const VideoSize& size() const { return size_; }
  bool next(Frame& frame);

 private:
  VideoSize size_;
  Child ffmpeg_;
};

/// Writes a video beside its place and renames it in when finished; the sound of `sound_from` is kept.
class VideoWriter {
 public:
  VideoWriter(const std::filesystem::path& path, const VideoSize& size,
              const std::filesystem::path& sound_from);
  ~VideoWriter();
  void write(const Frame& frame);
  void finish();

 private:
  std::filesystem::path path_, beside_;
  Child ffmpeg_;
};

/// True for the endings of videos (.mp4 .mov .mkv .webm .avi, any case).
bool is_video_name(const std::filesystem::path& path);

}  // namespace perennial

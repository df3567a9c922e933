#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "perennial/base/child.h"
#include "perennial/base/file_beside.h"
#include "perennial/io/frame.h"
#include "perennial/io/nut_reader.h"
#include "perennial/io/video_format.h"

namespace perennial {

/// What a written video has in common with the one that was read.
struct VideoShape {
  VideoFile file;  ///< its `tick` is the unit of all times here
  int64_t width = 0, height = 0;
  Ratio aspect{0, 1};
  int64_t begin = 0;  ///< time of the first picture
};

/// Pictures of a video, by FFmpeg as a process: upright, with the times at which they are shown. What size
/// they are is said by the decoder alone, not by ffprobe.
class VideoReader {
 public:
  /// Throws Error when it is no video, or one without a picture.
  explicit VideoReader(const std::filesystem::path& path);
  const VideoShape& shape() const { return shape_; }
  /// False at the end; Error when the decoder failed.
  bool next(Frame& frame);
  /// When the last picture is shown, in `shape().file.tick`; each later than the one before.
  int64_t time() const { return time_; }
  /// After the end: what FFmpeg complained of in a file that it could decode nevertheless, or "".
  const std::string& complaint() const { return complaint_; }

 private:
  bool decode(std::vector<uint8_t>& rgb);
  void finish();
  int64_t shown_at(int64_t time) const;
  std::filesystem::path path_;
  VideoShape shape_;
  Child ffmpeg_;
  std::optional<NutReader> nut_;
  Ratio own_tick_;
  int64_t own_begin_ = 0, exactness_ = 1, time_ = 0;
  bool ended_ = false;
  std::vector<uint8_t> first_;
  std::string complaint_;
};

/// Writes a video beside its place and renames it in when finished. The sound of `sound_from` is kept: as it
/// is where the container takes it, else coded anew.
class VideoWriter {
 public:
  /// std::invalid_argument for a name that is no video's (`check_video_output`).
  VideoWriter(const std::filesystem::path& path, const VideoShape& shape,
              const std::filesystem::path& sound_from, bool transparent = false);
  /// `pixels` are red, green, blue and, if transparent, alpha; times rise.
  void write(const std::vector<uint8_t>& pixels, int64_t time);
  void finish();

 private:
  [[noreturn]] void fail();
  FileBeside file_;
  std::string path_;
  VideoShape shape_;
  Child ffmpeg_;
  int64_t written_ = 0;
};

}  // namespace perennial

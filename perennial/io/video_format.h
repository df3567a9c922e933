#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "perennial/base/ratio.h"

namespace perennial {

/// What a file says of its first video (pictures on covers do not count) and of its sound.
struct VideoFile {
  int64_t index = 0;                ///< of the stream
  Ratio tick{0, 1};                 ///< unit of its times; 0: unknown
  Ratio rate{25, 1};                ///< pictures a second, on average
  Ratio finest_rate{25, 1};         ///< at which none is lost
  bool steady = false;              ///< all equally long
  double begin_seconds = 0;         ///< where the times of its streams begin
  int64_t frames = 0;               ///< about; 0: unknown
  std::string matrix;               ///< from colours to YUV, by FFmpeg's names; never empty
  bool matrix_is_known = false;     ///< or the one that players assume
  std::string primaries, transfer;  ///< "unknown" where the file does not say
  std::vector<std::string> sound;   ///< codec of each stream
  bool has_fps_mode = true;         ///< of the FFmpeg here: its name for -vsync since 5.1
};

/// Asks ffprobe. Throws Error when it is no file or has no video.
VideoFile probe_video(const std::filesystem::path& path);

/// How many pictures a video that was written holds, by reading it through. Throws Error when it cannot be
/// read.
int64_t count_pictures(const std::filesystem::path& path);

/// True for what gives each picture its own time, and so holds as many as were written.
bool holds_every_picture(const std::filesystem::path& path);

/// A path as FFmpeg reads it: no protocol (a colon), option (a hyphen) or pattern in it.
std::string ffmpeg_path(const std::filesystem::path& path);

/// Endings of the videos that can be written.
const std::vector<std::string>& video_endings();

/// True for names of videos: those, and others that FFmpeg reads.
bool is_video_name(const std::filesystem::path& path);

/// What FFmpeg is to be told to write a file of that ending: format, codecs, pixels.
struct VideoWish {
  std::filesystem::path path;
  bool transparent = false;
  int64_t width = 0, height = 0;
  Ratio aspect{0, 1};
};
std::vector<std::string> encoding(const VideoWish& wish, const VideoFile& source);

/// Throws std::invalid_argument, naming --out, for an ending that is no video's, or whose video cannot be
/// transparent where it has to.
void check_video_output(const std::filesystem::path& path, bool transparent);

}  // namespace perennial

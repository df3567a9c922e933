#include "perennial/tasks/video.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perennial/base/error.h"

extern char** environ;

namespace perennial {
namespace {

constexpr int64_t kMostPixels = int64_t{1} << 26;

std::vector<std::string> reading(const std::filesystem::path& path) {
  return {"ffmpeg", "-v",       "error",    "-nostdin", "-i", path.string(),
          "-f",     "rawvideo", "-pix_fmt", "rgb24",    "-"};
}

std::vector<std::string> writing(const std::filesystem::path& path, const VideoSize& size,
                                 const std::filesystem::path& sound) {
  return {"ffmpeg",     "-v",
          "error",      "-y",
          "-f",         "rawvideo",
          "-pix_fmt",   "rgb24",
          "-s",         fmt::format("{}x{}", size.width, size.height),
          "-r",         size.rate,
          "-i",         "-",
          "-i",         sound.string(),
          "-map",       "0:v",
          "-map",       "1:a?",
          "-c:a",       "copy",
          "-pix_fmt",   "yuv420p",
          "-vf",        "pad=ceil(iw/2)*2:ceil(ih/2)*2",
          path.string()};
}

}  // namespace

Child::Child(const std::vector<std::string>& command, Pipe pipe) : name_(command.front()) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw Error({"starting", name_, "a pipe", std::strerror(errno)});
  const bool reads = pipe == Pipe::kRead;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[reads ? 1 : 0], reads ? STDOUT_FILENO : STDIN_FILENO);
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const int code = ::posix_spawnp(&pid_, name_.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[reads ? 1 : 0]);
  fd_ = ends[reads ? 0 : 1];
  if (code == 0) return;
  pid_ = -1;
  ::close(fd_);
  throw Error({"starting", name_, "the program " + name_ + " (install FFmpeg)", std::strerror(code)});
}

Child::~Child() {
  if (fd_ >= 0) ::close(fd_);
  if (pid_ < 0) return;
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

bool Child::read(uint8_t* to, size_t size) {
  size_t got = 0;
  while (got < size) {
    const ssize_t n = ::read(fd_, to + got, size - got);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    got += static_cast<size_t>(n);
  }
  if (got > 0 && got < size)
    throw Error({"reading from", name_, fmt::format("{} bytes", size), fmt::format("{}", got)});
  return got == size;
}

void Child::write(const uint8_t* from, size_t size) {
  while (size > 0) {
    const ssize_t n = ::write(fd_, from, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw Error({"writing to", name_, "that it reads on", std::strerror(errno)});
    from += n, size -= static_cast<size_t>(n);
  }
}

void Child::finish() {
  ::close(fd_);
  fd_ = -1;
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw Error({"running", name_, "that it ends well", fmt::format("status {}", WEXITSTATUS(status))});
}

VideoSize video_size(const std::filesystem::path& path) {
  Child probe({"ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries",
               "stream=width,height,r_frame_rate,nb_frames", "-of", "json", path.string()},
              Child::Pipe::kRead);
  std::string text;
  for (uint8_t byte; text.size() < (1 << 16) && probe.read(&byte, 1);) text += static_cast<char>(byte);
  try {
    probe.finish();
    const auto stream = nlohmann::json::parse(text).at("streams").at(0);
    VideoSize size{stream.at("width"), stream.at("height"), stream.at("r_frame_rate"), 0};
    if (stream.contains("nb_frames"))
      size.frames = std::strtoll(stream["nb_frames"].get<std::string>().c_str(), nullptr, 10);
    if (size.width < 1 || size.height < 1 || size.width * size.height > kMostPixels)
      throw Error({"reading the video", path.string(), "a frame of ordinary size",
                   fmt::format("{}x{}", size.width, size.height)});
    return size;
  } catch (const nlohmann::json::exception&) {
    throw Error({"reading the video", path.string(), "a stream of pictures", "none"});
  }
}

VideoReader::VideoReader(const std::filesystem::path& path)
    : size_(video_size(path)), ffmpeg_(reading(path), Child::Pipe::kRead) {}

bool VideoReader::next(Frame& frame) {
  frame.width = size_.width, frame.height = size_.height;
  frame.rgb.resize(static_cast<size_t>(3 * size_.width * size_.height));
  return ffmpeg_.read(frame.rgb.data(), frame.rgb.size());
}

VideoWriter::VideoWriter(const std::filesystem::path& path, const VideoSize& size,
                         const std::filesystem::path& sound_from)
    : path_(path),
      beside_(path.parent_path() /
              ("." + path.stem().string() + ".tmp" + std::to_string(::getpid()) + path.extension().string())),
      ffmpeg_(writing(beside_, size, sound_from), Child::Pipe::kWrite) {}

VideoWriter::~VideoWriter() {
  std::error_code code;
  std::filesystem::remove(beside_, code);
}

void VideoWriter::write(const Frame& frame) { ffmpeg_.write(frame.rgb.data(), frame.rgb.size()); }

void VideoWriter::finish() {
  ffmpeg_.finish();
  std::filesystem::rename(beside_, path_);
}

bool is_video_name(const std::filesystem::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  constexpr std::array<const char*, 5> kKnown{".mp4", ".mov", ".mkv", ".webm", ".avi"};
  return std::any_of(kKnown.begin(), kKnown.end(), [&](const char* k) { return ending == k; });
}

}  // namespace perennial

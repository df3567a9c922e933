#include "perennial/io/video.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "perennial/base/error.h"
#include "perennial/io/picture_stream.h"

namespace perennial {
namespace {

int64_t nanoseconds(int64_t ticks, const Ratio& tick) {
  return scaled(ticks, tick.num * 1'000'000'000, tick.den);
}

// A file's own times, counted from its beginning. FFmpeg by itself counts from the first of those streams
// that it is asked for, which would move the sound against the pictures.
std::vector<std::string> timed_input(const std::filesystem::path& path, const VideoFile& file) {
  return {"-copyts", "-itsoffset", fmt::format("{:.6f}", -file.begin_seconds), "-i", ffmpeg_path(path)};
}

std::vector<std::string> decoding(const std::filesystem::path& path, const VideoFile& file) {
  std::vector<std::string> words{"ffmpeg", "-v", "error", "-nostdin"};
  const auto input = timed_input(path, file);
  words.insert(words.end(), input.begin(), input.end());
  words.insert(words.end(), {"-map", fmt::format("0:{}", file.index)});
  if (file.tick.num > 0)
    words.insert(words.end(), {"-enc_time_base", fmt::format("{}:{}", file.tick.num, file.tick.den)});
  const std::string assumed = file.matrix_is_known ? "" : ":in_color_matrix=" + file.matrix;
  words.insert(words.end(),
               {"-vf", "scale=flags=bicubic+accurate_rnd+full_chroma_int" + assumed + ",format=rgb24", "-c:v",
                "rawvideo", "-f", "nut", "-"});
  return words;
}

std::vector<std::string> coding(const std::filesystem::path& beside, const VideoWish& wish,
                                const VideoShape& shape, const std::filesystem::path& sound) {
  std::vector<std::string> words{"ffmpeg", "-v", "error", "-y"};
  const double begin = 1e-9 * static_cast<double>(nanoseconds(shape.begin, shape.file.tick));
  words.insert(words.end(), {"-itsoffset", fmt::format("{:.6f}", begin), "-f", "matroska", "-i", "pipe:0"});
  if (!shape.file.sound.empty()) {
    const auto input = timed_input(sound, shape.file);
    words.insert(words.end(), input.begin(), input.end());
    words.insert(words.end(), {"-map", "1:a"});
  }
  words.insert(words.end(), {"-map", "0:v"});
  const auto how = encoding(wish, shape.file);
  words.insert(words.end(), how.begin(), how.end());
  words.push_back(ffmpeg_path(beside));
  return words;
}

// The unit in which a file's pictures can be equally long: Matroska's milliseconds cannot hold 30000/1001 a
// second.
Ratio even_tick(const Ratio& tick, const VideoFile& file) {
  const bool holds = file.rate.den * tick.den % (file.rate.num * tick.num) == 0;
  if (!file.steady || holds) return tick;
  constexpr int64_t kFine = 90'000;
  return {1, file.rate.num * ((kFine + file.rate.num - 1) / file.rate.num)};
}

}  // namespace

VideoReader::VideoReader(const std::filesystem::path& path)
    : path_(path),
      shape_{.file = probe_video(path)},
      ffmpeg_(decoding(path, shape_.file), Child::Pipe::kRead) {
  if (!decode(first_)) throw Error({"reading the video", path.string(), "pictures", "none"});
  own_tick_ = nut_->tick();
  const Ratio said = shape_.file.tick.num > 0 ? shape_.file.tick : own_tick_;
  exactness_ = std::max<int64_t>(1, scaled(said.num, own_tick_.den, said.den * own_tick_.num));
  own_begin_ = nut_->time();
  shape_.file.tick = even_tick(own_tick_, shape_.file);
  shape_.width = nut_->width(), shape_.height = nut_->height(), shape_.aspect = nut_->aspect();
  time_ = shape_.begin =
      scaled(own_begin_, own_tick_.num * shape_.file.tick.den, own_tick_.den * shape_.file.tick.num);
}

// A decoder that failed has more to say than that its pictures end.
bool VideoReader::decode(std::vector<uint8_t>& rgb) {
  try {
    if (!nut_) nut_.emplace(ffmpeg_, path_.string());
    if (nut_->next(rgb)) return true;
  } catch (const Error&) {
    finish();
    throw;
  }
  finish();
  ended_ = true;
  return false;
}

void VideoReader::finish() {
  try {
    complaint_ = ffmpeg_.finish();
  } catch (const Error& e) {
    throw Error({"reading the video", path_.string(), "that FFmpeg decodes it", e.context().found});
  }
}

// In a unit that is not the file's own, times that are as near to a steady rate as the file can say are meant
// to be there.
int64_t VideoReader::shown_at(int64_t time) const {
  const Ratio tick = shape_.file.tick, rate = shape_.file.rate;
  const int64_t since = time - own_begin_;
  if (tick.num == own_tick_.num && tick.den == own_tick_.den) return shape_.begin + since;
  const int64_t picture = scaled(since, own_tick_.num * rate.num, own_tick_.den * rate.den);
  const int64_t meant = scaled(picture, rate.den * own_tick_.den, rate.num * own_tick_.num);
  if (std::abs(meant - since) <= exactness_) return shape_.begin + picture * rate.den * (tick.den / rate.num);
  return shape_.begin + scaled(since, own_tick_.num * tick.den, own_tick_.den * tick.num);
}

bool VideoReader::next(Frame& frame) {
  frame.width = shape_.width, frame.height = shape_.height;
  if (!first_.empty()) {
    frame.rgb = std::move(first_);
    first_.clear();
    return true;
  }
  if (ended_ || !decode(frame.rgb)) return false;
  time_ = std::max(time_ + 1, shown_at(nut_->time()));
  return true;
}

VideoWriter::VideoWriter(const std::filesystem::path& path, const VideoShape& shape,
                         const std::filesystem::path& sound_from, bool transparent)
    : file_(path),
      path_(path.string()),
      shape_(shape),
      ffmpeg_(coding(file_.path(), {path, transparent, shape.width, shape.height, shape.aspect}, shape,
                     sound_from),
              Child::Pipe::kWrite) {
  const Ratio rate = shape.file.rate;
  const std::string head = picture_stream_head(shape.width, shape.height, transparent ? 4 : 3,
                                               scaled(1'000'000'000, rate.den, rate.num));
  if (!ffmpeg_.write(head.data(), head.size())) fail();
}

void VideoWriter::fail() {
  std::string why = "an encoder that reads no more";
  try {
    ffmpeg_.finish();
  } catch (const Error& e) {
    why = e.context().found;
  }
  throw Error({"writing the video", path_, "that FFmpeg writes it", why});
}

void VideoWriter::write(const std::vector<uint8_t>& pixels, int64_t time) {
  const std::string head = picture_head(nanoseconds(time - shape_.begin, shape_.file.tick), pixels.size());
  if (!ffmpeg_.write(head.data(), head.size()) || !ffmpeg_.write(pixels.data(), pixels.size())) fail();
  ++written_;
}

void VideoWriter::finish() {
  try {
    ffmpeg_.finish();
  } catch (const Error& e) {
    throw Error({"writing the video", path_, "that FFmpeg writes it", e.context().found});
  }
  // FFmpeg may end well although the disk was full when it closed the file.
  int64_t found = 0;
  try {
    found = count_pictures(file_.path());
  } catch (const Error& e) {
    throw Error({"writing the video", path_, "a whole file (is the disk full?)", e.context().found});
  }
  if (found < (holds_every_picture(path_) ? written_ : 1))
    throw Error({"writing the video", path_, fmt::format("{} pictures (is the disk full?)", written_),
                 fmt::format("{} in the file", found)});
  file_.land();
}

}  // namespace perennial

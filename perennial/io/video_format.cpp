#include "perennial/io/video_format.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perennial/base/child.h"
#include "perennial/base/error.h"
#include "perennial/base/outputs.h"

namespace perennial {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

constexpr int64_t kMostRate = 120;

struct Container {
  std::string ending, format;
  Words video, sound;  // how pictures are coded; codecs of sound that it takes as they are (none: all)
  std::string other_sound;
  bool transparent = false, even_sides = true;
};

const std::vector<Container>& containers() {
  static const Words kMpeg4{"aac", "mp3", "ac3", "eac3", "alac"}, kH264{"-pix_fmt", "yuv420p"};
  static const std::vector<Container> all{{".mp4", "mp4", kH264, kMpeg4, "aac"},
                                          {".m4v", "mp4", kH264, kMpeg4, "aac"},
                                          {".mov", "mov", kH264, kMpeg4, "aac"},
                                          {".mkv", "matroska", kH264, {}, ""},
                                          {".webm",
                                           "webm",
                                           {"-c:v", "libvpx-vp9", "-crf", "30", "-b:v", "0", "-deadline",
                                            "good", "-cpu-used", "4", "-row-mt", "1"},
                                           {"opus", "vorbis"},
                                           "libopus",
                                           true,
                                           false},
                                          {".avi",
                                           "avi",
                                           {"-c:v", "mpeg4", "-q:v", "3", "-pix_fmt", "yuv420p"},
                                           {"mp3", "ac3", "pcm_s16le"},
                                           "pcm_s16le"}};
  return all;
}

const Container& container_of(const std::filesystem::path& path) {
  const std::string ending = ending_of(path);
  for (const Container& c : containers())
    if (c.ending == ending) return c;
  throw std::invalid_argument(fmt::format("--out: a video is written as {}, found '{}'",
                                          fmt::join(video_endings(), ", "), path.string()));
}

Ratio ratio_of(const json& stream, const char* key) {
  const std::string text = stream.value(key, "0/1");
  char* rest = nullptr;
  const int64_t num = std::strtoll(text.c_str(), &rest, 10);
  const int64_t den = *rest == '/' ? std::strtoll(rest + 1, nullptr, 10) : 0;
  constexpr int64_t kMost = INT32_MAX;
  return num > 0 && den > 0 && num <= kMost && den <= kMost ? Ratio{num, den} : Ratio{0, 1};
}

double number_of(const json& object, const char* key) {
  return object.contains(key) ? std::strtod(object[key].get<std::string>().c_str(), nullptr) : 0;
}

// The names of colour spaces go into options: nothing else may.
std::string colour_name(const json& stream, const char* key) {
  const std::string name = stream.value(key, "unknown");
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '-';
  });
  return plain && name != "reserved" ? name : "unknown";
}

// FFmpeg's scaler has other names for the matrices, and not all of them.
std::string scaler_matrix(const std::string& name) {
  if (name == "bt470bg") return "bt470";
  if (name.starts_with("bt2020")) return "bt2020";
  const bool same = name == "bt709" || name == "fcc" || name == "smpte170m" || name == "smpte240m";
  return same ? name : "";
}

const json* first_video(const json& streams) {
  for (const json& s : streams) {
    const bool cover = s.contains("disposition") && s["disposition"].value("attached_pic", 0) != 0;
    if (s.value("codec_type", "") == "video" && !cover) return &s;
  }
  return nullptr;
}

VideoFile described(const json& all, const json& stream) {
  VideoFile file;
  file.index = stream.at("index");
  file.tick = ratio_of(stream, "time_base");
  file.rate = ratio_of(stream, "avg_frame_rate");
  if (file.rate.num == 0) file.rate = {25, 1};
  const Ratio finest = ratio_of(stream, "r_frame_rate");
  file.steady = file.rate.num * finest.den == finest.num * file.rate.den;
  file.finest_rate = finest.num > 0 && finest.num <= kMostRate * finest.den ? finest : file.rate;
  const json whole = all.value("format", json::object());
  file.begin_seconds = number_of(whole, "start_time");
  const double own = number_of(stream, "duration"), seconds = own > 0 ? own : number_of(whole, "duration");
  file.frames = static_cast<int64_t>(number_of(stream, "nb_frames"));
  if (file.frames <= 0 && seconds > 0 && seconds < 1e7)
    file.frames =
        std::llround(seconds * static_cast<double>(file.rate.num) / static_cast<double>(file.rate.den));
  file.matrix = colour_name(stream, "color_space");
  file.matrix_is_known = !scaler_matrix(file.matrix).empty();
  const bool high = stream.value("width", 0) >= 1280 || stream.value("height", 0) > 576;
  if (!file.matrix_is_known) file.matrix = high ? "bt709" : "smpte170m";
  file.primaries = colour_name(stream, "color_primaries");
  file.transfer = colour_name(stream, "color_transfer");
  for (const json& s : all.at("streams"))
    if (s.value("codec_type", "") == "audio") file.sound.push_back(s.value("codec_name", ""));
  for (const json& library : all.value("library_versions", json::array()))
    if (library.value("name", "") == "libavcodec")
      file.has_fps_mode =
          std::pair(library.value("major", 99), library.value("minor", 0)) >= std::pair(59, 37);
  return file;
}

std::string output_filters(const VideoWish& wish, const VideoFile& source, const Container& c) {
  std::string filters;
  if (c.even_sides && (wish.width % 2 != 0 || wish.height % 2 != 0))
    filters = fmt::format("pad=ceil(iw/2)*2:ceil(ih/2)*2,fillborders=right={}:bottom={}:mode=smear,",
                          wish.width % 2, wish.height % 2);
  filters += fmt::format(
      "scale=out_color_matrix={}:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int,"
      "format={}",
      scaler_matrix(source.matrix), wish.transparent ? "yuva420p" : "yuv420p");
  if (wish.aspect.num > 0)
    filters += fmt::format(",setsar=r={}/{}:max=65535", wish.aspect.num, wish.aspect.den);
  // Who assumed a matrix for the source will assume it for this, too.
  return filters + fmt::format(",setparams=range=tv:colorspace={}:color_primaries={}:color_trc={}",
                               source.matrix_is_known ? source.matrix : "unknown", source.primaries,
                               source.transfer);
}

}  // namespace

std::string ffmpeg_path(const std::filesystem::path& path) { return "file:" + path.string(); }

namespace {

/// What ffprobe says of a file.
json probed(const std::filesystem::path& path, const Words& wanted) {
  Words words{"ffprobe", "-v", "error"};
  words.insert(words.end(), wanted.begin(), wanted.end());
  words.insert(words.end(), {"-of", "json", ffmpeg_path(path)});
  Child probe(words, Child::Pipe::kRead);
  std::string text(size_t{1} << 20, '\0');
  text.resize(probe.read(reinterpret_cast<uint8_t*>(text.data()), text.size()));
  try {
    probe.finish();
  } catch (const Error& e) {
    throw Error({"reading the video", path.string(), "a video that FFmpeg reads", e.context().found});
  }
  return json::parse(text, nullptr, false);
}

}  // namespace

int64_t count_pictures(const std::filesystem::path& path) {
  const json all =
      probed(path, {"-select_streams", "v:0", "-count_packets", "-show_entries", "stream=nb_read_packets"});
  try {
    return std::stoll(all.at("streams").at(0).at("nb_read_packets").get<std::string>());
  } catch (const std::exception&) {  // of the JSON or of the number
    throw Error({"reading the video", path.string(), "a stream of pictures", "none"});
  }
}

bool holds_every_picture(const std::filesystem::path& path) { return container_of(path).format != "avi"; }

VideoFile probe_video(const std::filesystem::path& path) {
  if (!std::filesystem::is_regular_file(path))
    throw Error({"reading the video", path.string(), "a file",
                 std::filesystem::exists(path) ? "something else" : "nothing there"});
  const std::string entries =
      "stream=index,codec_type,codec_name,width,height,time_base,avg_frame_rate,r_frame_rate,nb_frames,"
      "duration,color_space,color_primaries,color_transfer"
      ":stream_disposition=attached_pic:format=duration,start_time";
  const json all = probed(path, {"-show_library_versions", "-show_entries", entries});
  const json* stream = all.is_object() && all.contains("streams") ? first_video(all["streams"]) : nullptr;
  if (stream == nullptr) throw Error({"reading the video", path.string(), "a stream of pictures", "none"});
  try {
    return described(all, *stream);
  } catch (const json::exception& e) {
    throw Error({"reading the video", path.string(), "what ffprobe says of it", e.what()});
  }
}

const std::vector<std::string>& video_endings() {
  static const std::vector<std::string> endings = [] {
    std::vector<std::string> all;
    for (const Container& c : containers()) all.push_back(c.ending);
    return all;
  }();
  return endings;
}

bool is_video_name(const std::filesystem::path& path) {
  static const Words kRead{".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".3gp", ".wmv", ".flv", ".ogv"};
  const std::string ending = ending_of(path);
  return std::count(kRead.begin(), kRead.end(), ending) +
             std::count(video_endings().begin(), video_endings().end(), ending) >
         0;
}

void check_video_output(const std::filesystem::path& path, bool transparent) {
  const bool can_be_transparent = container_of(path).transparent;
  if (transparent && !can_be_transparent)
    throw std::invalid_argument(fmt::format(
        "--background transparent: of videos only .webm (VP9) can be that, found --out '{}'", path.string()));
}

std::vector<std::string> encoding(const VideoWish& wish, const VideoFile& source) {
  const Container& c = container_of(wish.path);
  Words words{"-vf", output_filters(wish, source, c)};
  // AVI has one rate for all pictures; elsewhere each has its time, in the unit that it came with.
  const auto time = c.format == "avi"
                        ? Words{"-r", fmt::format("{}/{}", source.finest_rate.num, source.finest_rate.den)}
                        : Words{source.has_fps_mode ? "-fps_mode" : "-vsync", "vfr", "-enc_time_base",
                                fmt::format("{}:{}", source.tick.num, source.tick.den)};
  words.insert(words.end(), time.begin(), time.end());
  words.insert(words.end(), c.video.begin(), c.video.end());
  if (wish.transparent) words.insert(words.end(), {"-pix_fmt", "yuva420p", "-auto-alt-ref", "0"});
  for (size_t i = 0; i < source.sound.size(); ++i) {
    const bool copied =
        c.sound.empty() || std::find(c.sound.begin(), c.sound.end(), source.sound[i]) != c.sound.end();
    words.insert(words.end(), {fmt::format("-c:a:{}", i), copied ? "copy" : c.other_sound});
    if (!copied && c.other_sound == "libopus")  // which knows few ways to place loudspeakers
      words.insert(words.end(),
                   {fmt::format("-filter:a:{}", i), "aformat=channel_layouts=7.1|5.1|stereo|mono"});
  }
  words.insert(words.end(), {"-f", c.format});
  return words;
}

}  // namespace perennial

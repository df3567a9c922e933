#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "perennial/base/child.h"
#include "perennial/base/ratio.h"

namespace perennial {

/// Raw pictures with their size, aspect and times from a program that writes NUT, FFmpeg's own container
/// (https://ffmpeg.org/~michael/nut.txt): what such a stream says of a picture is true of its bytes, which
/// what ffprobe says of the file need not be. One stream of video, version 3; other bytes are an Error that
/// names `path`.
class NutReader {
 public:
  /// Reads as far as the pictures' size. Nothing at all to read is an Error, too.
  NutReader(Child& from, std::string path);
  /// False at the end; Error for an end in the middle of a picture.
  bool next(std::vector<uint8_t>& rgb);
  int64_t width() const { return width_; }
  int64_t height() const { return height_; }
  /// Width by height of a pixel; 0 is unknown.
  Ratio aspect() const { return aspect_; }
  /// The unit of times, in seconds.
  Ratio tick() const { return bases_[base_]; }
  /// Of the last picture, in ticks.
  int64_t time() const { return time_; }

 private:
  struct FrameCode {
    uint64_t flags = 0, size_mul = 0, size_lsb = 0, reserved = 0, header = 0;
    int64_t time_delta = 0;
  };
  class Packet;
  [[noreturn]] void refuse(const std::string& expected, const std::string& found) const;
  bool fill();
  uint8_t byte();
  uint64_t number();
  std::string packet();
  void read_packet(uint64_t start);
  void main_header(Packet& in);
  void frame_codes(Packet& in);
  void stream_header(Packet& in);
  void syncpoint(Packet& in);
  uint64_t picture_size(uint8_t code, uint64_t& header);
  void picture(uint8_t code, std::vector<uint8_t>& rgb);

  Child& from_;
  std::string path_;
  std::vector<uint8_t> buffer_;
  size_t at_ = 0;
  std::array<FrameCode, 256> codes_{};
  std::vector<Ratio> bases_;
  std::vector<std::string> headers_{""};
  size_t base_ = 0;
  int shift_ = 0;
  int64_t width_ = 0, height_ = 0, time_ = 0;
  Ratio aspect_;
};

}  // namespace perennial

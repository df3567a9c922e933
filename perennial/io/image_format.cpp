#include <algorithm>
#include <array>

#include "perennial/base/text.h"
#include "perennial/io/image.h"

namespace perennial {
namespace {

using namespace std::string_view_literals;

struct Magic {
  std::string_view name;
  size_t offset;
  std::string_view bytes;
};

constexpr std::array kMagics{
    Magic{"JPEG", 0, "\xFF\xD8\xFF"sv},
    Magic{"PNG", 0, "\x89PNG\r\n\x1a\n"sv},
    Magic{"WebP", 8, "WEBP"sv},
    Magic{"GIF", 0, "GIF8"sv},
    Magic{"BMP", 0, "BM"sv},
    Magic{"TIFF", 0, "II*\0"sv},
    Magic{"TIFF", 0, "MM\0*"sv},
    Magic{"TIFF", 0, "II+\0"sv},
    Magic{"TIFF", 0, "MM\0+"sv},
    Magic{"JPEG XL", 0, "\xFF\x0A"sv},
    Magic{"JPEG XL", 4, "JXL \r\n\x87\n"sv},
    Magic{"JPEG 2000", 4, "jP  \r\n\x87\n"sv},
    Magic{"JPEG 2000", 0, "\xFF\x4F\xFF\x51"sv},
    Magic{"Photoshop (PSD)", 0, "8BPS"sv},
    Magic{"GIMP (XCF)", 0, "gimp xcf"sv},
    Magic{"Windows icon", 0, "\0\0\1\0"sv},
    Magic{"OpenEXR", 0, "\x76\x2f\x31\x01"sv},
    Magic{"Radiance HDR", 0, "#?RADIANCE"sv},
    Magic{"DirectDraw (DDS)", 0, "DDS "sv},
    Magic{"Fuji raw", 0, "FUJIFILM"sv},
    Magic{"DICOM", 128, "DICM"sv},
    Magic{"PDF", 0, "%PDF"sv},
    Magic{"PostScript", 0, "%!PS"sv},
    Magic{"AppleDouble (what macOS keeps beside a file)", 0, "\0\5\x16\7"sv},
    Magic{"Matroska or WebM video", 0, "\x1A\x45\xDF\xA3"sv},
    Magic{"AVI video", 8, "AVI "sv},
    Magic{"ZIP archive", 0, "PK\3\4"sv},
    Magic{"gzip archive", 0, "\x1F\x8B"sv},
    Magic{"RAR archive", 0, "Rar!"sv},
    Magic{"Git LFS pointer, not the file it stands for", 0, "version https://git-lfs"sv},
};

/// The family of an ISO base media file, from the brands in its first box.
std::string_view media_name(std::string_view bytes) {
  constexpr size_t kBrands = 8, kLongest = 256;
  const auto length = static_cast<size_t>(static_cast<unsigned char>(bytes[3]));
  const std::string_view brands =
      bytes.substr(kBrands, std::min(kLongest, std::max<size_t>(length, 12) - kBrands));
  const auto any = [&](auto... names) { return ((brands.find(names) != std::string_view::npos) || ...); };
  if (any("avif", "avis")) return "AVIF";
  if (any("heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1")) return "HEIC";
  if (any("crx ")) return "Canon raw (CR3)";
  return any("qt  ") ? "QuickTime video" : "MP4 video";
}

std::string_view text_name(std::string_view bytes) {
  const std::string head = lower(bytes.substr(0, 1024));
  const size_t first = head.find_first_not_of("\xEF\xBB\xBF \t\r\n");
  if (first == std::string::npos || head[first] != '<') return {};
  if (head.find("<svg") != std::string::npos) return "SVG";
  return head.find("<html") != std::string::npos || head.find("<!doctype html") != std::string::npos
             ? "HTML page"
             : "";
}

bool is_pnm(std::string_view bytes) {
  return bytes.size() > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7' &&
         (bytes[2] == '\n' || bytes[2] == ' ' || bytes[2] == '\r' || bytes[2] == '#');
}

}  // namespace

std::string_view format_name(std::string_view bytes) {
  if (bytes.size() >= 12 && bytes.substr(4, 4) == "ftyp") return media_name(bytes);
  for (const Magic& magic : kMagics)
    if (bytes.size() >= magic.offset && bytes.substr(magic.offset).starts_with(magic.bytes))
      return magic.name;
  return is_pnm(bytes) ? "PNM (PPM, PGM)" : text_name(bytes);
}

}  // namespace perennial

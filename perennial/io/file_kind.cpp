#include "perennial/io/file_kind.h"

#include <algorithm>

#include "perennial/base/text.h"
#include "perennial/io/image.h"

namespace perennial {
namespace {

constexpr const char* kConvert =
    " (convert it: python3 -c \"import torch, safetensors.torch as s; s.save_file(torch.load('IN.pth', "
    "map_location='cpu', weights_only=True), 'OUT.safetensors')\")";

struct Magic {
  std::string_view bytes;
  size_t offset;
  const char* kind;
};

using namespace std::string_view_literals;

constexpr Magic kMagics[] = {
    {"version https://git-lfs"sv, 0, "a Git LFS pointer and not the file itself (fetch it: git lfs pull)"},
    {"\x89HDF\r\n"sv, 0, "HDF5, as Keras writes it"},
    {"\x93NUMPY"sv, 0, "an array of NumPy"},
    {"GGUF"sv, 0, "GGUF"},
    {"TFL3"sv, 4, "a model of TensorFlow Lite"},
    {"\x1F\x8B"sv, 0, "compressed by gzip (unpack it first)"},
    {"\x28\xB5\x2F\xFD"sv, 0, "compressed by zstd (unpack it first)"},
    {"\xFD"
     "7zXZ"sv,
     0, "compressed by xz (unpack it first)"},
    {"7z\xBC\xAF"sv, 0, "a 7z archive (unpack it first)"},
    {"ustar"sv, 257, "a tar archive (unpack it first)"},
    {"PRNLEDGE"sv, 0, "a model file of the edge runtime, which holds no weights to train or to export"},
    {"\x08"sv, 0, "a protocol buffer, such as ONNX"},
};

bool is_web_page(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  std::string head = lower(bytes.substr(0, 256));
  head.erase(0, std::min(head.find_first_not_of(" \t\r\n"), head.size()));
  return head.starts_with("<!doctype") || head.starts_with("<html") || head.starts_with("<?xml") ||
         head.starts_with("<head") || head.starts_with("<!--");
}

std::string json_kind(std::string_view bytes) {
  if (bytes.find("\"weight_map\"") == std::string_view::npos) return "JSON text";
  return "the index of weights that lie in several files (join them: python3 -c \"import glob, "
         "safetensors.torch "
         "as s; s.save_file({k: v for f in sorted(glob.glob('model-*.safetensors')) for k, v in "
         "s.load_file(f).items()}, 'OUT.safetensors')\")";
}

}  // namespace

std::string other_than_safetensors(std::string_view bytes) {
  if (bytes.empty()) return "an empty file";
  if (bytes.size() > 8 && bytes[8] == '{' && bytes.substr(4, 4) == std::string_view("\0\0\0\0", 4)) return "";
  if (bytes.starts_with("PK\x03\x04") || bytes.starts_with("PK\x05\x06"))
    return "a zip archive, as torch.save writes it" + std::string(kConvert);
  const bool pickle = bytes[0] == '\x80' && bytes.size() > 1 && bytes[1] >= 2 && bytes[1] <= 5;
  if (pickle) return "a pickle of Python, as torch.save wrote it" + std::string(kConvert);
  if (is_web_page(bytes)) return "a web page (log in, or ask for access, and download the file again)";
  if (const size_t text = bytes.find_first_not_of(" \t\r\n"); text < bytes.size() && bytes[text] == '{')
    return json_kind(bytes);
  for (const Magic& magic : kMagics)
    if (bytes.size() > magic.offset && bytes.substr(magic.offset).starts_with(magic.bytes)) return magic.kind;
  return std::string(format_name(bytes));
}

}  // namespace perennial

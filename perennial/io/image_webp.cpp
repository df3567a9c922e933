#include <algorithm>
#include <memory>
#include <webp/decode.h>
#include <webp/demux.h>

#include "perennial/io/image_codecs.h"

namespace perennial {
namespace {

struct CloseDemuxer {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};

const uint8_t* data_of(std::string_view bytes) { return reinterpret_cast<const uint8_t*>(bytes.data()); }

bool is_webp(std::string_view bytes) {
  return bytes.size() >= 12 && bytes.starts_with("RIFF") && bytes.substr(8, 4) == "WEBP";
}

ImageSize peek_webp(std::string_view bytes) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(data_of(bytes), bytes.size(), &features) != VP8_STATUS_OK) return {};
  return {features.height, features.width};
}

std::string_view chunk(const WebPDemuxer* demuxer, const char* name) {
  WebPChunkIterator at{};
  std::string_view content;
  if (WebPDemuxGetChunk(demuxer, name, 1, &at) != 0)
    content = {reinterpret_cast<const char*>(at.chunk.bytes), at.chunk.size};
  WebPDemuxReleaseChunkIterator(&at);
  return content;
}

/// The first frame as RGBA, straight, on a transparent canvas.
std::vector<uint8_t> first_frame(const WebPDemuxer* demuxer, const std::string& name, ImageSize canvas) {
  std::vector<uint8_t> rgba(static_cast<size_t>(4 * canvas.height * canvas.width));
  WebPIterator frame{};
  const bool found = WebPDemuxGetFrame(demuxer, 1, &frame) != 0;
  const bool inside = found && frame.complete != 0 && frame.x_offset >= 0 && frame.y_offset >= 0 &&
                      frame.width > 0 && frame.height > 0 &&
                      frame.x_offset + int64_t{frame.width} <= canvas.width &&
                      frame.y_offset + int64_t{frame.height} <= canvas.height;
  const uint8_t* decoded = nullptr;
  if (inside) {
    const int64_t stride = 4 * canvas.width, first = frame.y_offset * stride + 4 * int64_t{frame.x_offset};
    decoded = WebPDecodeRGBAInto(frame.fragment.bytes, frame.fragment.size, rgba.data() + first,
                                 rgba.size() - static_cast<size_t>(first), static_cast<int>(stride));
  }
  WebPDemuxReleaseIterator(&frame);
  if (decoded == nullptr) bad_image(name, "a sound WebP", inside ? "damaged data" : "no whole frame");
  return rgba;
}

Image decode_webp(std::string_view bytes, const std::string& name, int64_t max_pixels, int64_t /*cover*/) {
  const ImageSize size = peek_webp(bytes);
  if (size.height == 0) bad_image(name, "a WebP header", "something else");
  check_image_size(name, size.height, size.width, max_pixels);
  const WebPData data{data_of(bytes), bytes.size()};
  const std::unique_ptr<WebPDemuxer, CloseDemuxer> demuxer(WebPDemux(&data));
  if (!demuxer)
    bad_image(name, "a whole WebP", std::to_string(bytes.size()) + " bytes of a damaged or cut one");
  const ImageSize canvas{WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT),
                         WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH)};
  check_image_size(name, canvas.height, canvas.width, max_pixels);
  std::vector<uint8_t> pixels = first_frame(demuxer.get(), name, canvas);
  over_white(pixels);
  const int exif = exif_orientation(chunk(demuxer.get(), "EXIF"));
  return upright_planar(pixels.data(), canvas.height, canvas.width,
                        exif > 0 ? exif : xmp_orientation(chunk(demuxer.get(), "XMP ")));
}

}  // namespace

const ImageCodec kWebpCodec{is_webp, peek_webp, decode_webp};

}  // namespace perennial

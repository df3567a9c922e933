// How fast a pool of image files opens and streams, and what memory it takes.
//
// usage: pool [FILES] [SIDE]      100000 JPEG files of 64 pixels in 100 folders, made in a temporary folder
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <jpeglib.h>
#include <unistd.h>

#include <fmt/format.h>

#include "perennial/base/bytes.h"
#include "perennial/base/clock.h"
#include "perennial/base/files.h"
#include "perennial/base/random.h"
#include "perennial/base/threads.h"
#include "perennial/data/dataset.h"
#include "perennial/data/stream.h"

namespace {

using namespace perennial;
namespace fs = std::filesystem;

std::string jpeg_of(uint64_t number, int64_t side) {
  jpeg_compress_struct writer;
  jpeg_error_mgr errors;
  writer.err = jpeg_std_error(&errors);
  jpeg_create_compress(&writer);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&writer, &bytes, &size);
  writer.image_width = writer.image_height = static_cast<JDIMENSION>(side);
  writer.input_components = 3;
  writer.in_color_space = JCS_RGB;
  jpeg_set_defaults(&writer);
  jpeg_start_compress(&writer, TRUE);
  std::vector<uint8_t> row(static_cast<size_t>(3 * side));
  for (uint64_t y = 0; y < static_cast<uint64_t>(side); ++y) {
    for (size_t i = 0; i < row.size(); ++i)
      row[i] = static_cast<uint8_t>(mix64(number, y / 8 * 1000 + i / 24));
    JSAMPROW pointer = row.data();
    jpeg_write_scanlines(&writer, &pointer, 1);
  }
  jpeg_finish_compress(&writer);
  std::string out(reinterpret_cast<const char*>(bytes), size);
  jpeg_destroy_compress(&writer);
  std::free(bytes);  // NOLINT(cppcoreguidelines-no-malloc): libjpeg's
  return out;
}

// A hundred pictures under many names.
void make_files(const fs::path& root, int64_t files, int64_t side) {
  std::vector<std::string> pictures;
  for (uint64_t n = 0; n < 100; ++n) pictures.push_back(jpeg_of(n, side));
  for (int64_t i = 0; i < files; ++i) {
    const fs::path folder = root / std::to_string(i % 100);
    if (i < 100) make_folder(folder);
    write_file(folder / (std::to_string(i) + ".jpg"), pictures[static_cast<size_t>(i / 100 % 100)]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto given = [&](int i, int64_t otherwise) {
    return argc > i && argv[i][0] != '-' ? std::atoll(argv[i]) : otherwise;  // flags are for other benchmarks
  };
  const int64_t files = given(1, 100000), side = given(2, 64);
  const fs::path root = fs::temp_directory_path() / ("perennial-pool-" + std::to_string(::getpid()));
  make_files(root, files, side);
  set_thread_count(2);
  const int64_t before = peak_resident_bytes();
  double began = steady_seconds();
  DataOptions options;
  options.size = side;
  const auto pool = std::make_shared<Dataset>(open_pool(root, options));
  fmt::print("{} files opened in {:.2f} s\n", pool->size(), steady_seconds() - began);
  Task task;
  task.rows = permutation(pool->size(), Random(1, "order"));
  Stream stream(pool, {std::move(task)});
  began = steady_seconds();
  int64_t sum = 0;
  while (!stream.finished()) sum += stream.next(64).samples.bytes();
  const double spent = steady_seconds() - began;
  fmt::print("{} streamed in {:.1f} s, {:.0f} images a second; {} more resident at the peak\n",
             format_bytes(sum), spent, static_cast<double>(files) / spent,
             format_bytes(peak_resident_bytes() - before));
  fs::remove_all(root);
}

// How fast a pool of image files opens and streams, and what memory it takes.
//
// usage: pool [FILES] [SIDE]      100000 JPEG files of 64 pixels in 100 folders, made in a temporary folder
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <unistd.h>

#include "perennial/base/bytes.h"
#include "perennial/base/files.h"
#include "perennial/base/random.h"
#include "perennial/base/threads.h"
#include "perennial/data/stream.h"
#include "perennial/data/dataset.h"
#include "perennial/io/image.h"

namespace {

using namespace perennial;
namespace fs = std::filesystem;

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Every hundredth picture is one of its own; the others are copies under names of their own.
void make_files(const fs::path& root, int64_t files, int64_t side) {
  std::vector<std::string> pictures;
  for (uint64_t n = 0; n < 100; ++n) {
    Image image{3, side, side, std::vector<uint8_t>(static_cast<size_t>(3 * side * side))};
    for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<uint8_t>(mix64(n, i / 64));
    pictures.push_back(encode_jpeg(image));
  }
  for (int64_t i = 0; i < files; ++i) {
    const fs::path folder = root / std::to_string(i % 100);
    if (i < 100) make_folder(folder);
    write_file(folder / (std::to_string(i) + ".jpg"), pictures[static_cast<size_t>(i / 100 % 100)]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t files = argc > 1 ? std::atoll(argv[1]) : 100000, side = argc > 2 ? std::atoll(argv[2]) : 64;
  const fs::path root = fs::temp_directory_path() / ("perennial-pool-" + std::to_string(::getpid()));
  make_files(root, files, side);
  set_thread_count(2);
  const int64_t before = peak_resident_bytes();
  double began = seconds();
  DataOptions options;
  options.size = side;
  const auto pool = std::make_shared<Dataset>(open_pool(root, options));
  std::printf("%lld files opened in %.2f s\n", static_cast<long long>(pool->size()), seconds() - began);
  Task task;
  task.rows = permutation(pool->size(), Random(1, "order"));
  Stream stream(pool, {std::move(task)});
  began = seconds();
  int64_t sum = 0;
  while (!stream.finished()) sum += stream.next(64).samples.bytes();
  const double spent = seconds() - began;
  std::printf("%s streamed in %.1f s, %.0f images a second; %s more resident at the peak\n",
              format_bytes(sum).c_str(), spent, static_cast<double>(files) / spent,
              format_bytes(peak_resident_bytes() - before).c_str());
  fs::remove_all(root);
}

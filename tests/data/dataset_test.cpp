#include "perennial/data/dataset.h"

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <zlib.h>

#include <ATen/ops/equal.h>

#include "perennial/base/options.h"
#include "perennial/data/binary_records.h"
#include "source_fixtures.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;
using namespace perennial::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Mean and standard deviation over all pixels, on the [0, 1] scale.
std::pair<double, double> moments(const Dataset& set) {
  double sum = 0, squares = 0;
  const auto* p = set.inputs.const_data_ptr<uint8_t>();
  for (int64_t i = 0; i < set.inputs.numel(); ++i)
    sum += p[i] / 255.0, squares += p[i] / 255.0 * p[i] / 255.0;
  const double mean = sum / static_cast<double>(set.inputs.numel());
  return {mean, std::sqrt(squares / static_cast<double>(set.inputs.numel()) - mean * mean)};
}

TEST(Digits, AreTheUciSet) {
  const DataSource digits = load({});
  EXPECT_EQ(digits.train.inputs.sizes(), at::IntArrayRef({1438, 1, 8, 8}));
  EXPECT_EQ(digits.test.inputs.sizes(), at::IntArrayRef({359, 1, 8, 8}));
  EXPECT_TRUE(digits.train.is_digits);
  EXPECT_EQ(digits.train.class_names.size(), 10U);
  // The first record of the published file: 0,0,5,13,9,1,0,0, ... and the digit 0.
  const auto* p = digits.train.inputs.const_data_ptr<uint8_t>();
  EXPECT_THAT(std::vector<int>(p, p + 8), ElementsAre(0, 0, 80, 207, 143, 16, 0, 0));
  EXPECT_THAT(std::vector<int64_t>(digits.train.labels.begin(), digits.train.labels.begin() + 6),
              ElementsAre(0, 1, 2, 3, 5, 6));
  EXPECT_THAT(std::vector<int64_t>(digits.test.ids.begin(), digits.test.ids.begin() + 3),
              ElementsAre(4, 9, 14));
  EXPECT_EQ(digits.test.labels[0], 4);
  std::map<int64_t, int> counts;
  for (const Dataset* part : {&digits.train, &digits.test})
    for (const int64_t label : part->labels) ++counts[label];
  EXPECT_THAT(counts, ElementsAre(std::pair(0, 178), std::pair(1, 182), std::pair(2, 177), std::pair(3, 183),
                                  std::pair(4, 181), std::pair(5, 182), std::pair(6, 181), std::pair(7, 179),
                                  std::pair(8, 174), std::pair(9, 180)));
}

TEST(Digits, NormalisationIsThatOfTheTrainingPart) {
  const DataSource digits = load({});
  const auto [mean, std] = moments(digits.train);
  EXPECT_NEAR(digits.train.normalisation.mean[0], mean, 1e-6);
  EXPECT_NEAR(digits.train.normalisation.std[0], std, 1e-6);
}

TEST(LoadData, ClassesAndLimitApply) {
  DataOptions options;
  options.classes = "7, 2";
  options.limit = 30;
  const DataSource some = load(options), all = load({});
  EXPECT_THAT(some.train.class_names, ElementsAre("2", "7"));
  EXPECT_EQ(some.test.class_names, some.train.class_names);
  EXPECT_EQ(some.train.size(), 60);
  EXPECT_GT(some.test.size(), 60);
  EXPECT_EQ(std::set<int64_t>(some.train.labels.begin(), some.train.labels.end()), (std::set<int64_t>{0, 1}));
  // Ids are those of the whole set, and name the same pictures.
  for (int64_t row = 0; row < some.train.size(); ++row) {
    const auto i = static_cast<size_t>(row);
    const auto at =
        std::find(all.train.ids.begin(), all.train.ids.end(), some.train.ids[i]) - all.train.ids.begin();
    ASSERT_LT(at, all.train.size());
    EXPECT_EQ(all.train.labels[static_cast<size_t>(at)], some.train.labels[i] == 0 ? 2 : 7);
    EXPECT_TRUE(some.train.inputs.select(0, row).equal(all.train.inputs.select(0, at)));
  }
}

TEST(LoadData, ValidationTakesItsTestPartFromTheTrainingPart) {
  Progress silent;
  const DataSource whole = load_data({}, silent);
  DataOptions options;
  options.validate = 0.25;
  const DataSource source = load_data(options, silent);
  EXPECT_EQ(source.train.size() + source.test.size(), whole.train.size());
  EXPECT_NEAR(static_cast<double>(source.test.size()), 0.25 * static_cast<double>(whole.train.size()), 100);
  std::set<int64_t> ids(source.train.ids.begin(), source.train.ids.end());
  for (const int64_t id : source.test.ids) {
    EXPECT_FALSE(ids.contains(id));
    EXPECT_NE(std::find(whole.train.ids.begin(), whole.train.ids.end(), id), whole.train.ids.end());
  }
  EXPECT_THAT(source.split_note, ::testing::HasSubstr("validation: 25 %"));
}

TEST(LoadData, SizeResizesSetsOfOneSize) {
  DataOptions options;
  options.size = 16;
  const DataSource digits = load(options);
  EXPECT_EQ(digits.train.input_shape(), (std::vector<int64_t>{1, 16, 16}));
  Dataset all = digits.train;
  all.bring_to_size(1);
  EXPECT_EQ(all.inputs.sizes(), at::IntArrayRef({1438, 1, 16, 16}));
  EXPECT_NEAR(moments(all).first, moments(load({}).train).first, 0.01);
}

// A set that is enlarged takes no more room than the files it came from.
TEST(LoadData, ImagesAreEnlargedAsTheyAreAskedFor) {
  DataOptions options;
  options.size = 16;
  const Dataset train = load(options).train;
  EXPECT_EQ(train.input_bytes(), load({}).train.input_bytes());
  Dataset all = train;
  all.bring_to_size(1);
  const std::vector<int64_t> rows{7, 3, 1400};
  EXPECT_TRUE(at::equal(train.input_rows(rows), all.input_rows(rows)));
  EXPECT_TRUE(at::equal(train.unlabelled(100, 50).tensor(column::kImage), all.inputs.narrow(0, 100, 50)));
  EXPECT_EQ(train.input_shape(), all.input_shape());
  options.size = 20;
  EXPECT_NE(train.hash(0), load(options).train.hash(0));
  EXPECT_NE(train.hash(0), load({}).train.hash(0));
}

TEST(LoadData, ImagesAreMadeSmallerOnce) {
  DataOptions options;
  options.size = 4;
  EXPECT_EQ(load(options).train.inputs.sizes(), at::IntArrayRef({1438, 1, 4, 4}));
}

TEST(LoadData, BadArgumentsSayWhatExists) {
  const auto message = [](const std::string& source, const std::string& classes = "") {
    DataOptions options;
    options.source = source, options.classes = classes;
    try {
      load(options);
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(message("cifar11:x"), HasSubstr("did you mean 'cifar10'"));
  EXPECT_THAT(message("mnist"), HasSubstr("mnist:DIR"));
  EXPECT_THAT(message("csv"), HasSubstr("csv:FILE"));
  EXPECT_THAT(message("digits:x"), HasSubstr("no folder"));
  EXPECT_THAT(message("digits", "12"), HasSubstr("no class '12'"));
}

TEST(LoadData, OptionsAreBoundByName) {
  DataOptions options;
  OptionTable table;
  options.bind(table);
  table.set("data", "mnist:/data");
  table.set("data.limit", "12");
  EXPECT_EQ(options.source, "mnist:/data");
  EXPECT_EQ(options.limit, 12);
  EXPECT_THROW(table.set("data.test_share", "1.5"), std::invalid_argument);
}

TEST(AllocateImages, GoesToAScratchFileOverTheShareOfMemory) {
  const TemporaryFolder folder;
  const fs::path cache = folder / "cache";
  ::setenv("PERENNIAL_CACHE", cache.c_str(), 1);
  at::Tensor big = allocate_images(100, 3, 32, 32, 1e-12);
  ::unsetenv("PERENNIAL_CACHE");
  EXPECT_TRUE(fs::exists(cache));    // it was made for the scratch file,
  EXPECT_TRUE(fs::is_empty(cache));  // which has no name
  EXPECT_EQ(big.sizes(), at::IntArrayRef({100, 3, 32, 32}));
  big.fill_(7);
  at::Tensor view = big.narrow(0, 99, 1);
  big.reset();
  EXPECT_EQ(view.const_data_ptr<uint8_t>()[3 * 32 * 32 - 1], 7);
}

TEST(AllocateImages, RefusesWhatCannotBe) {
  EXPECT_THROW(allocate_images(-1, 3, 8, 8, 0.5), std::invalid_argument);
  EXPECT_THROW(allocate_images(int64_t{1} << 40, 3, 1 << 14, 1 << 14, 1e9), Error);
}

class Cifar : public SourceTest {
 protected:
  /// A file of that many records, all zero but for record `i`: label `label`, first pixel `pixel`.
  void records(const std::string& path, int64_t count, int64_t label_bytes, int64_t i, char label,
               char pixel) const {
    make_folder((root_ / path).parent_path());
    std::ofstream(root_ / path).close();
    const int64_t each = label_bytes + kCifarPixels;
    fs::resize_file(root_ / path, static_cast<uintmax_t>(count * each));
    std::fstream file(root_ / path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(i * each + label_bytes - 1);
    file.put(label).put(pixel);
  }

  void cifar10(const std::string& folder) const {
    for (int batch = 1; batch <= 5; ++batch)
      records(folder + "/data_batch_" + std::to_string(batch) + ".bin", 10000, 1, 17,
              static_cast<char>(batch), 99);
    records(folder + "/test_batch.bin", 10000, 1, 3, 9, 44);
  }
};

TEST_F(Cifar, TenReadsFiveBatchesAndTheTestBatch) {
  cifar10("cifar-10-batches-bin");
  const DataSource source = load(options("cifar10"));
  EXPECT_EQ(source.train.inputs.sizes(), at::IntArrayRef({50000, 3, 32, 32}));
  EXPECT_EQ(source.test.size(), 10000);
  EXPECT_THAT(source.train.class_names, ::testing::Contains("truck"));
  EXPECT_EQ(source.train.labels[20017], 3);
  EXPECT_EQ(first_pixel(source.train, 20017), 99);
  EXPECT_EQ(source.train.labels[20018], 0);
  EXPECT_EQ(source.test.labels[3], 9);
  EXPECT_EQ(first_pixel(source.test, 3), 44);
  EXPECT_EQ(source.train.ids[20017], 20017);
  EXPECT_EQ(source.test.ids[0], 50000);
  EXPECT_DOUBLE_EQ(source.train.normalisation.mean[2], 0.4465);
}

TEST_F(Cifar, TenTakesNamesFromTheFileAndTheFolderItself) {
  cifar10(".");
  write("batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n");
  EXPECT_EQ(load(options("cifar10")).train.class_names[3], "d");
  write("batches.meta.txt", "a\nb\n");
  EXPECT_THAT(load_error(options("cifar10")), HasSubstr("expected 10 lines, found 2 lines"));
}

TEST_F(Cifar, HundredTakesTheFineLabel) {
  records("train.bin", 50000, 2, 41, 98, 5);
  records("test.bin", 10000, 2, 0, 1, 6);
  const DataSource source = load(options("cifar100"));
  EXPECT_EQ(source.train.size(), 50000);
  EXPECT_EQ(source.train.class_names.size(), 100U);
  EXPECT_EQ(source.train.class_names[static_cast<size_t>(source.train.labels[41])], "woman");
  EXPECT_EQ(first_pixel(source.train, 41), 5);
}

TEST_F(Cifar, WrongFilesAreNamed) {
  EXPECT_THAT(load_error(options("cifar10")), HasSubstr("data_batch_1.bin"));
  cifar10(".");
  fs::resize_file(root_ / "data_batch_3.bin", 30729999);
  const std::string message = load_error(options("cifar10"));
  EXPECT_THAT(message, HasSubstr("data_batch_3.bin"));
  EXPECT_THAT(message, HasSubstr("10000 records of 3073 bytes (30730000 bytes), found 30729999 bytes"));
  records("data_batch_3.bin", 10000, 1, 2, 10, 0);
  EXPECT_THAT(load_error(options("cifar10")), HasSubstr("label 10 at offset 6146"));
}

std::string idx(const std::vector<uint32_t>& shape, const std::string& data) {
  std::string out{'\0', '\0', '\x08', static_cast<char>(shape.size())};
  for (const uint32_t extent : shape)
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(extent >> shift);
  return out + data;
}

class Mnist : public SourceTest {
 protected:
  Mnist() {
    write("train-images-idx3-ubyte", idx({4, 2, 3}, "abcdefghijklmnopqrstuvwx"));
    write("train-labels-idx1-ubyte", idx({4}, std::string("\1\0\3\2", 4)));
    write("t10k-images-idx3-ubyte", idx({1, 2, 3}, "ABCDEF"));
    write("t10k-labels-idx1-ubyte", idx({1}, "\x9"));
  }

  /// Packs a file with gzip and removes it.
  void pack(const std::string& name) const {
    const std::string bytes = read_file(root_ / name);
    gzFile file = gzopen((root_ / (name + ".gz")).c_str(), "wb");
    gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(file);
    fs::remove(root_ / name);
  }
};

TEST_F(Mnist, PlainAndPackedAreEqual) {
  const DataSource plain = load(options("mnist"));
  EXPECT_EQ(plain.train.inputs.sizes(), at::IntArrayRef({4, 1, 2, 3}));
  EXPECT_THAT(plain.train.labels, ElementsAre(1, 0, 3, 2));
  EXPECT_EQ(first_pixel(plain.train, 1), 'g');
  EXPECT_EQ(plain.test.labels[0], 9);
  EXPECT_TRUE(plain.train.is_digits);
  for (const char* name : {"train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) pack(name);
  const DataSource packed = load(options("mnist"));
  EXPECT_TRUE(packed.train.inputs.equal(plain.train.inputs));
  EXPECT_EQ(packed.test.labels, plain.test.labels);
}

/// 26 letters as EMNIST stores them, column by column; image i begins with 3 i.
class Emnist : public SourceTest {
 protected:
  void letters(const std::string& train, const std::string& test) const {
    std::string pixels, labels;
    for (int i = 0; i < 26; ++i) {
      for (int p = 0; p < 6; ++p) pixels += static_cast<char>(3 * i + p);
      labels += static_cast<char>(i + 1);
    }
    for (const auto& stem : {train, test}) {
      write(stem + "-images-idx3-ubyte", idx({26, 3, 2}, pixels));
      write(stem + "-labels-idx1-ubyte", idx({26}, labels));
    }
  }
  void expect_letters(const DataSource& source) const {
    EXPECT_EQ(source.train.class_names.size(), 26U);
    EXPECT_EQ(source.train.class_names[0], "A");
    EXPECT_EQ(source.train.labels[25], 25);
    // Stored 3 rows of 2, it is 2 rows of 3: 0 2 4 / 1 3 5.
    ASSERT_EQ(source.test.inputs.sizes(), at::IntArrayRef({26, 1, 2, 3}));
    const auto* p = source.test.inputs.const_data_ptr<uint8_t>();
    EXPECT_THAT(std::vector<int>(p, p + 6), ElementsAre(0, 2, 4, 1, 3, 5));
  }
};

TEST_F(Emnist, LettersAreTwentySixClassesUpright) {
  letters("emnist-letters-train", "emnist-letters-test");
  expect_letters(load(options("mnist")));
  letters("gzip/emnist-letters-train", "gzip/emnist-letters-test");
  expect_letters(load(options("mnist")));
}

TEST_F(Emnist, LettersUnderTheNamesOfMnist) {
  letters("train", "t10k");
  expect_letters(load(options("mnist")));
}

TEST_F(Emnist, OneOfSeveralSetsIsNamed) {
  letters("emnist-letters-train", "emnist-letters-test");
  letters("emnist-byclass-train", "emnist-byclass-test");
  EXPECT_THAT(load_error(options("mnist")), HasSubstr("emnist-letters, emnist-byclass"));
  DataOptions one;
  one.source = "mnist:" + (root_ / "emnist-letters").string();
  expect_letters(load(one));
  one.source = "mnist:" + (root_ / "emnist-byclass").string();
  const DataSource classes = load(one);
  EXPECT_EQ(classes.train.class_names.size(), 62U);
  EXPECT_EQ(classes.train.class_names[36], "a");
  EXPECT_EQ(classes.train.labels[0], 1);
}

TEST_F(Emnist, BalancedMergesWhatLooksAlike) {
  letters("emnist-balanced-train", "emnist-balanced-test");
  const DataSource source = load(options("mnist"));
  EXPECT_EQ(source.train.class_names.size(), 47U);
  EXPECT_EQ(source.train.class_names.back(), "t");
}

TEST_F(Mnist, WrongFilesAreNamed) {
  write("train-labels-idx1-ubyte", idx({3}, std::string("\1\0\3", 3)));
  EXPECT_THAT(load_error(options("mnist")), HasSubstr("expected 3 images, one per label, found 4"));
  write("train-labels-idx1-ubyte", idx({4}, std::string("\1\0\3\x0A", 4)));
  EXPECT_THAT(load_error(options("mnist")), HasSubstr("label 10 at offset 11"));
  write("train-labels-idx1-ubyte", idx({4}, std::string("\1\0\3", 3)));
  EXPECT_THAT(load_error(options("mnist")), HasSubstr("expected 4 bytes after the header, found 3"));
  fs::remove(root_ / "train-labels-idx1-ubyte");
  EXPECT_THAT(load_error(options("mnist")), HasSubstr("train-labels-idx1-ubyte (or .gz)"));
}

TEST(ParseIdx, EveryOtherLengthAndHeaderIsAnError) {
  const std::string good = idx({2, 3, 4}, std::string(24, 'x'));
  EXPECT_THAT(parse_idx(good, 3, "f").shape, ElementsAre(2, 3, 4));
  for (size_t cut = 0; cut < good.size(); ++cut)
    EXPECT_THROW(parse_idx(good.substr(0, cut), 3, "f"), Error) << cut;
  for (size_t bit = 0; bit < 16 * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    EXPECT_THROW(parse_idx(bad, 3, "f"), Error) << bit;
  }
  // A product that would overflow 64 bits to the true length.
  EXPECT_THROW(parse_idx(idx({0x80000000, 0x80000000, 4}, ""), 3, "f"), Error);
  EXPECT_THROW(parse_idx(idx({0, 3, 4}, ""), 3, "f"), Error);
}

/// The real sets, where their unpacked form is at hand.
fs::path real(const char* folder) {
  const char* root = std::getenv("PERENNIAL_DATA_UNPACKED");
  return root == nullptr ? fs::path() : fs::path(root) / folder;
}

TEST(RealSets, CifarAndMnistCounts) {
  if (!fs::exists(real("mnist")) || !fs::exists(real("cifar-10-batches-bin")) ||
      !fs::exists(real("cifar-100-binary")))
    GTEST_SKIP()
        << "set PERENNIAL_DATA_UNPACKED to the folder of mnist/, cifar-10-batches-bin/, cifar-100-binary/";
  for (const char* kind : {"mnist", "cifar10", "cifar100"}) {
    DataOptions options;
    options.source = std::string(kind) + ":" + real(kind == std::string("mnist") ? "mnist" : "").string();
    const DataSource source = load(options);
    EXPECT_EQ(source.train.size(), kind == std::string("mnist") ? 60000 : 50000) << kind;
    EXPECT_EQ(source.test.size(), 10000) << kind;
    const auto [mean, std] = moments(source.train);
    const auto& m = source.train.normalisation.mean;
    EXPECT_NEAR(mean, (m[0] + m[1] + m[2]) / 3, 3e-3) << kind;
    EXPECT_GT(std, 0.2) << kind;
  }
}

}  // namespace
}  // namespace perennial

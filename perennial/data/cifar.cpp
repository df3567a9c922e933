#include <algorithm>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "perennial/base/text.h"
#include "perennial/data/binary_records.h"
#include "perennial/data/sources.h"

namespace perennial {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNames10 = "airplane,automobile,bird,cat,deer,dog,frog,horse,ship,truck";
constexpr const char* kNames100 =
    "apple,aquarium_fish,baby,bear,beaver,bed,bee,beetle,bicycle,bottle,bowl,boy,bridge,bus,butterfly,camel,"
    "can,"
    "castle,caterpillar,cattle,chair,chimpanzee,clock,cloud,cockroach,couch,crab,crocodile,cup,dinosaur,"
    "dolphin,"
    "elephant,flatfish,forest,fox,girl,hamster,house,kangaroo,keyboard,lamp,lawn_mower,leopard,lion,lizard,"
    "lobster,"
    "man,maple_tree,motorcycle,mountain,mouse,mushroom,oak_tree,orange,orchid,otter,palm_tree,pear,pickup_"
    "truck,"
    "pine_tree,plain,plate,poppy,porcupine,possum,rabbit,raccoon,ray,road,rocket,rose,sea,seal,shark,shrew,"
    "skunk,"
    "skyscraper,snail,snake,spider,squirrel,streetcar,sunflower,sweet_pepper,table,tank,telephone,television,"
    "tiger,"
    "tractor,train,trout,tulip,turtle,wardrobe,whale,willow_tree,wolf,woman,worm";

/// Where the files of a set lie and what is in them.
struct Layout {
  std::string name, title, subfolder, names_file, known_names;
  std::vector<std::string> train, test;
  CifarForm train_form, test_form;
  Normalisation normalisation;
};

fs::path find_folder(const fs::path& folder, const Layout& layout) {
  for (const fs::path& place : {folder, folder / layout.subfolder})
    if (fs::exists(place / layout.train.front())) return place;
  throw Error(
      {"reading " + layout.title, folder.string(),
       join(layout.train, ", ") + " and " + layout.test.front() + " in it or in " + layout.subfolder + "/",
       fs::is_directory(folder) ? "no " + layout.train.front() : "no such folder"});
}

std::vector<std::string> class_names(const fs::path& folder, const Layout& layout) {
  const fs::path file = folder / layout.names_file;
  auto known = split(layout.known_names, ',');
  if (!fs::exists(file)) return known;
  const auto names = split(read_file(file, 1 << 16), '\n');
  if (names.size() == known.size()) return names;
  throw Error({"reading class names", file.string(), std::to_string(known.size()) + " lines",
               std::to_string(names.size()) + " lines"});
}

Dataset read_part(const fs::path& folder, const std::vector<std::string>& files, const CifarForm& form,
                  int64_t first_id, double memory_share) {
  Dataset set;
  const auto count = static_cast<int64_t>(files.size()) * form.records;
  set.inputs = allocate_images(count, 3, 32, 32, memory_share);
  auto* out = set.inputs.mutable_data_ptr<uint8_t>();
  for (const auto& name : files) {
    const fs::path path = folder / name;
    const MappedFile file(path);
    const auto labels = cifar_labels(file.bytes(), form, path.string());
    set.labels.insert(set.labels.end(), labels.begin(), labels.end());
    copy_cifar_pixels(file.bytes(), form, out);
    out += form.records * kCifarPixels;
  }
  for (int64_t i = 0; i < count; ++i) set.ids.push_back(first_id + i);
  return set;
}

DataSource load(const fs::path& root, const Layout& layout, const DataOptions& options) {
  const fs::path folder = find_folder(root, layout);
  DataSource source;
  source.train = read_part(folder, layout.train, layout.train_form, 0, options.memory_share);
  source.test = read_part(folder, layout.test, layout.test_form, source.train.size(), options.memory_share);
  for (Dataset* set : {&source.train, &source.test}) {
    set->name = layout.name;
    set->class_names = class_names(folder, layout);
    set->normalisation = layout.normalisation;
  }
  source.split_note = "the test file of the set";
  return source;
}

}  // namespace

DataSource load_cifar10(const fs::path& folder, const DataOptions& options) {
  const CifarForm form{"CIFAR-10", 1, 10, 10000};
  return load(
      folder,
      {"cifar10",
       form.name,
       "cifar-10-batches-bin",
       "batches.meta.txt",
       kNames10,
       {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
       {"test_batch.bin"},
       form,
       form,
       {{0.4914, 0.4822, 0.4465}, {0.2023, 0.1994, 0.2010}}},
      options);
}

DataSource load_cifar100(const fs::path& folder, const DataOptions& options) {
  return load(folder,
              {"cifar100",
               "CIFAR-100",
               "cifar-100-binary",
               "fine_label_names.txt",
               kNames100,
               {"train.bin"},
               {"test.bin"},
               {"CIFAR-100", 2, 100, 50000},
               {"CIFAR-100", 2, 100, 10000},
               {{0.5071, 0.4867, 0.4408}, {0.2675, 0.2565, 0.2761}}},
              options);
}

}  // namespace perennial

#include "perennial/nn/classifier.h"

#include <cstdio>
#include <fstream>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/eq.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include "perennial/base/error.h"
#include "perennial/nn/loss.h"
#include "perennial/nn/normalise.h"
#include "perennial/nn/optimiser.h"
#include "tests/base/temporary_folder.h"
#include "tests/nn/nn_fixtures.h"

namespace perennial {
namespace {

struct Sizes {
  double width = 0.25;
  HeadKind head = HeadKind::kLinear;
  int64_t side = 16, classes = 4;
};

Classifier make(const std::string& name, Compute compute = {}, const std::string& freeze = "none",
                Sizes sizes = {}, uint64_t seed = 1) {
  ModelOptions options;
  options.name = name;
  options.width = sizes.width;
  options.freeze = freeze;
  Classifier classifier(options, sizes.head, {3, sizes.side, sizes.side}, Normalisation{}, compute, seed);
  classifier.grow(sizes.classes);
  return classifier;
}

// Class c is bright in quadrant c of a dark noisy image.
struct Quadrants {
  at::Tensor images, labels;
  explicit Quadrants(int64_t n, int64_t channels = 3, int64_t side = 16, uint64_t seed = 1)
      : images(noise_images({n, channels, side, side}, seed).div(2, "floor")),
        labels(at::empty({n}, at::kLong)) {
    for (int64_t i = 0; i < n; ++i) {
      const int64_t c = i % 4, half = side / 2;
      labels[i].fill_(c);
      images[i].narrow(1, c / 2 * half, half).narrow(2, c % 2 * half, half).add_(100);
    }
  }
};

std::vector<double> train(Classifier& classifier, const Quadrants& data, int steps, double lr = 0.05) {
  Optimiser sgd({{classifier.parameters(), 1e-4}}, {});
  std::vector<double> losses;
  for (int step = 0; step < steps; ++step) {
    const at::Tensor loss = cross_entropy(classifier.train_logits(data.images), data.labels);
    loss.backward();
    sgd.step(lr);
    losses.push_back(loss.item().toDouble());
  }
  return losses;
}

double accuracy(Classifier& classifier, const Quadrants& data) {
  return classifier.logits(data.images).argmax(1).eq(data.labels).to(at::kFloat).mean().item().toDouble();
}

TEST(Normalise, GivesTheFormulaForColourAndGrey) {
  const Normalisation n{{0.5, 0.4, 0.3}, {0.2, 0.25, 0.5}};
  for (const int64_t channels : {1, 3}) {
    const at::Tensor images = noise_images({3, channels, 5, 7}, 1);
    const at::Tensor out = normalise(images, n, at::kCPU);
    ASSERT_EQ(out.sizes(), (at::IntArrayRef{3, 3, 5, 7}));
    EXPECT_TRUE(out.is_contiguous(at::MemoryFormat::ChannelsLast));
    for (int64_t c = 0; c < 3; ++c) {
      const at::Tensor expected =
          images.select(1, channels == 3 ? c : 0).to(at::kDouble).div(255).sub(n.mean[c]).div(n.std[c]);
      EXPECT_LT(largest_difference(out.select(1, c), expected), 1e-5);
    }
  }
  EXPECT_THROW(normalise(noise_images({3, 2, 5, 7}, 1), n, at::kCPU), std::invalid_argument);
  EXPECT_THROW(normalise(noise({3, 3, 5, 7}, 1), n, at::kCPU), std::invalid_argument);
}

class EachModel : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(All, EachModel, testing::Values("mlp400", "resnet18", "resnet20", "resnet32"));

TEST_P(EachModel, LearnsASeparableProblem) {
  const Quadrants data(32), fresh(64, 3, 16, 2);
  Classifier classifier = make(GetParam());
  const std::vector<double> losses = train(classifier, data, 25);
  EXPECT_LT(losses.back(), 0.3 * losses.front());
  EXPECT_GT(accuracy(classifier, fresh), 0.9);
}

TEST_P(EachModel, LearnsInBfloat16AndNotTheSame) {
  const Quadrants data(32);
  Classifier narrow = make(GetParam(), {"cpu", "bfloat16"}), full = make(GetParam());
  const at::Tensor start = narrow.train_logits(data.images);
  EXPECT_EQ(start.scalar_type(), at::kFloat);
  const double difference = largest_difference(start, full.train_logits(data.images));
  EXPECT_GT(difference, 1e-5);
  EXPECT_LT(difference, 0.5);
  const std::vector<double> losses = train(narrow, data, 25);
  EXPECT_LT(losses.back(), 0.5 * losses.front());
  for (const auto& p : narrow.parameters()) EXPECT_EQ(p.value.scalar_type(), at::kFloat);
}

TEST_P(EachModel, GivesBitEqualLogitsAfterSaveAndLoad) {
  const Quadrants data(32);
  Classifier original = make(GetParam());
  train(original, data, 3);
  TensorMap saved;
  original.save(saved, "model.");
  const std::string bytes = encode_safetensors({saved, {}});
  Classifier restored = make(GetParam(), {}, "none", {}, 99);
  const at::Tensor before = restored.logits(data.images);
  restored.load(decode_safetensors(bytes, "test").tensors, "model.", "test");
  const at::Tensor expected = original.logits(data.images);
  EXPECT_FALSE(at::equal(before, expected));
  EXPECT_TRUE(at::equal(restored.logits(data.images), expected));
  train(original, data, 2);
  train(restored, data, 2);
  EXPECT_TRUE(at::equal(restored.logits(data.images), original.logits(data.images)));
}

TEST(Classifier, LoadsAnotherNumberOfClassesAndKindOfHead) {
  Classifier original = make("resnet20", {}, "none", {0.5, HeadKind::kLinearNorm, 16, 7});
  TensorMap saved;
  original.save(saved, "");
  Classifier restored = make("resnet20", {}, "none", {0.5, HeadKind::kLinear, 16, 2}, 5);
  restored.load(saved, "", "test");
  EXPECT_EQ(restored.classes(), 7);
  const at::Tensor images = noise_images({4, 3, 16, 16}, 1);
  EXPECT_TRUE(at::equal(restored.logits(images), original.logits(images)));
}

TEST(Classifier, SaysWhichTensorDoesNotFit) {
  Classifier small = make("resnet20", {}, "none", {0.5}), large = make("resnet20", {}, "none", {1});
  TensorMap saved;
  small.save(saved, "");
  try {
    large.backbone().tensors().load(saved, "backbone.", "model.safetensors");
    FAIL() << "accepted";
  } catch (const Error& error) {
    const std::string text = error.what();
    for (const char* part : {"model.safetensors", "[8, 3, 3, 3]", "[16, 3, 3, 3]", "conv1.weight"})
      EXPECT_NE(text.find(part), std::string::npos) << part << " in: " << text;
  }
  saved.erase("backbone.bn1.running_var");
  EXPECT_THROW(small.load(saved, "", "file"), Error);
}

TEST(Classifier, PredictsTheSameForAnyBatch) {
  Classifier classifier = make("resnet32");
  train(classifier, Quadrants(32), 2);
  const at::Tensor images = noise_images({37, 3, 16, 16}, 1);
  EXPECT_LT(largest_difference(classifier.logits(images, 8), classifier.logits(images, 512)), 1e-5);
  EXPECT_EQ(classifier.logits(images.narrow(0, 0, 0)).sizes(), (at::IntArrayRef{0, 4}));
  EXPECT_THROW(classifier.logits(images, 0), std::invalid_argument);
}

TEST(Classifier, GivesTensorsThatTrainingMayUse) {
  Classifier classifier = make("mlp400");
  const at::Tensor logits = classifier.logits(noise_images({4, 3, 16, 16}, 1));
  EXPECT_FALSE(logits.is_inference());
  EXPECT_FALSE(logits.requires_grad());
}

TEST(Classifier, TrainsTheHeadAloneWhenFrozen) {
  const Quadrants data(32);
  Classifier classifier = make("resnet20", {}, "features");
  TensorMap before, after;
  classifier.backbone().tensors().save(before, "");
  const std::vector<double> losses = train(classifier, data, 100, 0.02);
  classifier.backbone().tensors().save(after, "");
  for (const auto& [name, value] : before) EXPECT_TRUE(at::equal(value, after[name])) << name;
  EXPECT_EQ(classifier.parameters().size(), 2U);
  EXPECT_LT(losses.back(), 0.8 * losses.front());
  for (const at::Tensor& t : classifier.backbone().tensors().trainable()) EXPECT_FALSE(t.grad().defined());
}

// Two networks of one process, and those of others, have one copy of what none of them changes.
TEST(Classifier, FrozenWeightsAreThoseOfTheMappedFile) {
  const TemporaryFolder folder;
  const auto network = [](const std::string& weights, const std::string& freeze, uint64_t seed) {
    const ModelOptions options{"efficientnet_lite0", 0.25, weights, freeze};
    Classifier net(options, HeadKind::kLinear, {3, 64, 64}, Normalisation{}, {}, seed);
    net.grow(4);
    return net;
  };
  TensorMap saved;
  network("", "none", 1).save(saved, "");
  const std::string file = folder / "w.safetensors";
  write_safetensors(file, {saved, {}});
  Classifier frozen = network(file, "features", 2), free = network(file, "none", 3);
  const auto mapped = [&](Classifier& net) {
    int64_t bytes = 0;
    std::ifstream maps("/proc/self/maps");
    std::vector<std::pair<uintptr_t, uintptr_t>> of_file;
    for (std::string line; std::getline(maps, line);)
      if (uintptr_t begin = 0, end = 0;
          line.find(file) != std::string::npos && std::sscanf(line.c_str(), "%lx-%lx", &begin, &end) == 2)
        of_file.emplace_back(begin, end);
    for (const NamedTensor& t : net.backbone().tensors().all()) {
      const auto at = reinterpret_cast<uintptr_t>(t.value.const_data_ptr());
      for (const auto& [begin, end] : of_file)
        if (at >= begin && at < end) bytes += static_cast<int64_t>(t.value.nbytes());
    }
    return bytes;
  };
  int64_t all = 0;
  for (const NamedTensor& t : frozen.backbone().tensors().all())
    all += static_cast<int64_t>(t.value.nbytes());
  EXPECT_GT(mapped(frozen), 9 * all / 10) << "all but the first convolution, whose format differs";
  EXPECT_EQ(mapped(free), 0);
  Classifier copy = frozen.clone();
  for (size_t i = 0; i < frozen.backbone().tensors().all().size(); ++i)
    EXPECT_EQ(copy.backbone().tensors().all()[i].value.const_data_ptr(),
              frozen.backbone().tensors().all()[i].value.const_data_ptr());
  const at::Tensor images = noise_images({4, 3, 64, 64}, 1);
  EXPECT_TRUE(at::equal(frozen.features(images), free.features(images)));
  EXPECT_TRUE(at::equal(copy.logits(images), frozen.logits(images)));
}

TEST(Classifier, TakesFeaturesComputedBeforeWhenFrozen) {
  const Quadrants data(16);
  Classifier frozen = make("resnet20", {}, "features"), free = make("resnet20");
  const at::Tensor rows = frozen.features(data.images);
  EXPECT_EQ(rows.size(1), frozen.backbone().feature_size());
  const auto samples = [](const at::Tensor& features) {
    return Samples(std::vector<int64_t>(static_cast<size_t>(features.size(0))),
                   {{column::kFeature, features}});
  };
  const Samples features = samples(rows);
  EXPECT_LT(largest_difference(frozen.logits(features), frozen.logits(data.images)), 1e-5);
  EXPECT_LT(largest_difference(frozen.train_logits(features), frozen.train_logits(data.images)), 1e-5);
  EXPECT_THROW(free.train_logits(features), std::invalid_argument);
  EXPECT_THROW(frozen.logits(samples(noise({2, 5}, 1))), std::invalid_argument);
}

TEST(Classifier, ResetIsAFreshModelOfThePosition) {
  const Quadrants data(16);
  Classifier classifier = make("resnet20");
  const at::Tensor first = classifier.logits(data.images);
  train(classifier, data, 2);
  classifier.reset(0);
  EXPECT_TRUE(at::equal(classifier.logits(data.images), first));
  classifier.reset(3);
  EXPECT_FALSE(at::equal(classifier.logits(data.images), first));
  classifier.reset_head(HeadKind::kLinearNorm, 9, 1);
  EXPECT_EQ(classifier.logits(data.images).size(1), 9);
}

TEST_P(EachModel, ACloneHasTheSameWeightsAndKeepsThem) {
  const Quadrants data(16);
  Classifier classifier = make(GetParam());
  train(classifier, data, 2);
  const Classifier clone = classifier.clone();
  const at::Tensor before = classifier.logits(data.images);
  EXPECT_TRUE(at::equal(clone.logits(data.images), before));
  train(classifier, data, 2);
  EXPECT_TRUE(at::equal(clone.logits(data.images), before));
  EXPECT_FALSE(at::equal(classifier.logits(data.images), before));
}

TEST_P(EachModel, AHookSeesTheMapThatLeavesEachStageAndChangesWhatGoesOn) {
  const Quadrants data(16);
  Classifier classifier = make(GetParam());
  std::vector<std::string> seen;
  const auto outputs = [&](double factor) {
    seen.clear();
    return classifier.train_outputs(data.images, [&](const Stage& stage, at::Tensor map) {
      EXPECT_EQ(map.size(0), data.images.size(0));
      seen.push_back(stage.name);
      return stage.index == 0 ? map.mul(factor) : map;
    });
  };
  const Outputs whole = classifier.train_outputs(data.images);
  EXPECT_TRUE(at::equal(outputs(1).logits, whole.logits));
  EXPECT_EQ(seen, classifier.backbone().stages());
  EXPECT_TRUE(at::equal(outputs(1).features, whole.features));
  const at::Tensor blind = outputs(0).features;  // nothing of the images is left
  EXPECT_TRUE(at::equal(blind[0], blind[1]));
}

TEST_P(EachModel, SaysWhatItSaysInTrainingAndStaysAsItIs) {
  Classifier classifier = make(GetParam());
  const Quadrants data(12);
  const at::Tensor by_running = classifier.logits(data.images),
                   by_batch = classifier.batch_statistics_logits(data.images);
  EXPECT_TRUE(at::equal(classifier.logits(data.images), by_running));
  EXPECT_TRUE(at::equal(by_batch, classifier.train_logits(data.images).detach()));
  EXPECT_FALSE(at::equal(classifier.logits(data.images), by_running));  // training has moved the statistics
}

TEST(Classifier, TrainsOnTwoSamplesOrMore) {
  Classifier classifier = make("mlp400");
  EXPECT_THROW(classifier.train_logits(Quadrants(16).images.narrow(0, 0, 1)), std::invalid_argument);
}

TEST(Classifier, RefusesUnknownSettings) {
  EXPECT_THROW(make("resnet20", {"gpu", "float32"}), std::invalid_argument);
  EXPECT_THROW(make("resnet20", {"cpu", "float64"}), std::invalid_argument);
  EXPECT_THROW(make("resnet20", {}, "head"), std::invalid_argument);
}

}  // namespace
}  // namespace perennial

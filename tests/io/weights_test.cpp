#include "perennial/io/weights.h"

#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perennial/base/error.h"
#include "perennial/base/files.h"
#include "tests/base/temporary_folder.h"

namespace perennial {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TensorFile named(const std::vector<std::string>& names) {
  TensorFile file;
  for (size_t i = 0; i < names.size(); ++i)
    file.tensors[names[i]] = at::full({2}, static_cast<double>(i), at::kFloat);
  return file;
}

TrainedWeights written_and_read(const std::vector<std::string>& names) {
  const TemporaryFolder folder;
  write_safetensors(folder / "w.safetensors", named(names));
  return read_weights(folder / "w.safetensors");
}

TEST(Weights, AreFoundBehindWhatProgramsPutBefore) {
  for (const char* wrapped :
       {"module.a.b", "model.a.b", "_orig_mod.a.b", "state_dict.a.b", "net.a.b", "_orig_mod.module.a.b",
        "module._orig_mod.a.b", "state_dict.model.module.a.b", "a.b"}) {
    const TensorFile file = written_and_read({wrapped, "ema.decay"});
    ASSERT_TRUE(file.tensors.contains("a.b")) << wrapped;
    EXPECT_EQ(file.tensors.at("a.b")[0].item<float>(), 0);
    EXPECT_TRUE(file.tensors.contains(wrapped)) << "the name in the file stays";
  }
  EXPECT_TRUE(written_and_read({"module.model.0.conv.weight"}).tensors.contains("model.0.conv.weight"));
}

TEST(Weights, AnExactNameWinsAndAnUnclearOneIsNone) {
  const TensorFile file = written_and_read({"a", "module.a", "model.b", "net.b", "modules.c", "module."});
  EXPECT_EQ(file.tensors.at("a")[0].item<float>(), 0);
  EXPECT_FALSE(file.tensors.contains("b"));
  EXPECT_FALSE(file.tensors.contains("c"));
  EXPECT_FALSE(file.tensors.contains(""));
}

TEST(Weights, AFolderGivesItsModel) {
  const TemporaryFolder folder;
  write_safetensors(folder / "model.safetensors", named({"a"}));
  EXPECT_EQ(read_weights(folder.path()).source, (folder / "model.safetensors").string());
}

std::string complaint(const std::string& bytes, const std::string& name = "w.safetensors") {
  const TemporaryFolder folder;
  write_file(folder / name, bytes);
  try {
    read_weights(name == "w.safetensors" ? folder / name : folder.path());
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr((folder / name).string()));
    return e.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

TEST(Weights, AnotherFileIsNamedAsWhatItIs) {
  const std::string more(4000, '\0');
  EXPECT_THAT(complaint(""), HasSubstr("an empty file"));
  EXPECT_THAT(complaint("version https://git-lfs.github.com/spec/v1\noid sha256:6f\nsize 11\n"),
              AllOf(HasSubstr("Git LFS pointer"), HasSubstr("git lfs pull")));
  for (const char* page : {"<!DOCTYPE html><html>", "\n  <HTML lang=en>", "\xEF\xBB\xBF<!doctype html>",
                           "<?xml version='1.0'?><Error><Code>AccessDenied</Code>"})
    EXPECT_THAT(complaint(page), HasSubstr("a web page"));
  for (const std::string& pickle :
       {"PK\x03\x04" + more, std::string("\x80\x02}q\0.", 6), "\x80\x04\x95" + more})
    EXPECT_THAT(complaint(pickle), AllOf(HasSubstr("torch.save"), HasSubstr("convert it: python3 -c")));
  const std::string index = R"({"metadata": {}, "weight_map": {"a": "model-00001-of-00002.safetensors"}})";
  EXPECT_THAT(complaint(index), AllOf(HasSubstr("several files"), HasSubstr("join them")));
  EXPECT_THAT(complaint(index, "model.safetensors.index.json"), HasSubstr("several files"));
  EXPECT_THAT(complaint("{\"a\": 1}"), HasSubstr("JSON"));
  EXPECT_THAT(complaint("PRNLEDGE" + more), HasSubstr("edge runtime"));
  EXPECT_THAT(complaint("\x1F\x8B\x08" + more), HasSubstr("gzip"));
  EXPECT_THAT(complaint("GGUF" + more), HasSubstr("GGUF"));
  EXPECT_THAT(complaint(more.substr(0, 20)), HasSubstr("header"));
}

TEST(Weights, AFileThatIsCutShortIsCalledSo) {
  const std::string whole = encode_safetensors(named({"a", "b", "c"}));
  for (size_t length = 9; length < whole.size(); length += 7)
    EXPECT_THAT(complaint(whole.substr(0, length)), HasSubstr("cut short")) << length;
}

}  // namespace
}  // namespace perennial
